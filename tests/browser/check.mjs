// Checks reports in a real browser.
//
//   node check.mjs [--shots FOLDER] REPORT.html...
//
// Each report must load without console errors or network requests, pass axe in light and dark and on a phone, never
// scroll sideways at 360 px, and print on A4 and Letter with nothing wider than the page, no chart or table row that
// could be cut or is cut in the PDF, none missing there, and every folded table open. CHROMIUM names the browser (default: /usr/bin/chromium).

import { readFileSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { traces } from "./hostile.mjs";
import { places } from "./paper.mjs";
import { checkScript } from "./scripted.mjs";

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const FLAGS = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
// Room between the margins of the report's @page rule (14 mm at the sides, 16 mm above and below), in CSS pixels.
const MM = 96 / 25.4;
const PAPERS = {
  A4: { width: (210 - 28) * MM, height: (297 - 32) * MM },
  Letter: { width: (215.9 - 28) * MM, height: (279.4 - 32) * MM },
};

let passed = 0;
let failed = 0;

function check(report, what, problems) {
  if (problems.length === 0) {
    passed += 1;
    console.log(`ok    ${report}: ${what}`);
    return;
  }
  failed += 1;
  console.log(`FAIL  ${report}: ${what}`);
  for (const problem of problems.slice(0, 10)) console.log(`        ${problem}`);
  if (problems.length > 10) console.log(`        … and ${problems.length - 10} more`);
}

async function violations(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return violations.flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.target.join(" ")} ${(node.any[0] ?? node.all[0] ?? node.none[0])?.message ?? ""}`));
}

/** Things that stick out of the page sideways; what scrolls in its own box does not count. */
function tooWide(page) {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const wide = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > width + 1 && !e.closest(".scroll"));
    return [`the page is ${document.documentElement.scrollWidth} px wide`, ...wide.slice(0, 5).map((e) => e.outerHTML.slice(0, 90))];
  });
}

/** Text in charts that runs over the chart's edge or over another text. */
function clippedLabels(page) {
  return page.evaluate(() => {
    const problems = [];
    for (const svg of document.querySelectorAll("svg")) {
      const frame = svg.getBoundingClientRect();
      if (frame.width === 0) continue;
      const texts = [...svg.querySelectorAll("text")].filter((text) => text.textContent.trim() !== "");
      for (const text of texts) {
        const box = text.getBoundingClientRect();
        const out = Math.max(frame.left - box.left, box.right - frame.right, frame.top - box.top, box.bottom - frame.bottom);
        if (out > 3) problems.push(`"${text.textContent.slice(0, 40)}" leaves ${svg.getAttribute("aria-labelledby")} by ${out.toFixed(0)} px`);
      }
      const upright = texts.filter((text) => !text.hasAttribute("transform")).map((text) => [text, text.getBoundingClientRect()]);
      for (let i = 0; i < upright.length; i += 1) {
        for (let k = i + 1; k < upright.length; k += 1) {
          const [a, b] = [upright[i][1], upright[k][1]];
          const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
          const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
          if (x > 2 && y > 4) problems.push(`"${upright[i][0].textContent.slice(0, 30)}" and "${upright[k][0].textContent.slice(0, 30)}" overlap in ${svg.getAttribute("aria-labelledby")}`);
        }
      }
    }
    return problems;
  });
}

/** What would be cut on paper of this height. */
function cutInPrint(page, { width, height }) {
  return page.evaluate(([width, height]) => {
    const problems = [];
    const shown = (element) => element.getBoundingClientRect().height > 0;
    for (const element of document.querySelectorAll("table, svg")) {
      const box = element.getBoundingClientRect();
      const name = element.querySelector("caption, title")?.textContent ?? element.tagName;
      if (!shown(element)) problems.push(`not printed: ${name}`);
      if (box.right > width + 1) problems.push(`${(box.right - width).toFixed(0)} px too wide: ${name}`);
    }
    for (const element of document.querySelectorAll("svg, tr, figcaption")) {
      const box = element.getBoundingClientRect();
      const name = (element.querySelector("title")?.textContent ?? element.textContent).trim().slice(0, 60);
      if (box.height > height) problems.push(`taller than a page: ${name}`);
      if (getComputedStyle(element).breakInside !== "avoid") problems.push(`may be cut: ${name}`);
    }
    return problems;
  }, [width, height]);
}

/** Rows and pictures that stand on two pages of the PDF, heads that stand alone, and what is not there. */
async function cutInPdf(page, pdf) {
  const found = places(pdf);
  const named = await page.evaluate(() => ({
    rows: [...document.querySelectorAll("tr")].map((row) => [row.textContent, row.closest("thead") !== null]),
    pictures: [...document.querySelectorAll("svg, img")].map((picture) => [picture.querySelector("title")?.textContent ?? picture.alt, false]),
  }));
  return Object.entries(named).flatMap(([kind, all]) => {
    const pages = found[kind];
    if (all.length !== pages.length) return [`${pages.length} of ${all.length} ${kind}`];
    // A head is printed again on every page that its table goes on to; it begins where its first row stands.
    const isTorn = ([, isHead], at) => (isHead ? at + 1 < all.length && pages[at][0] !== pages[at + 1][0] : pages[at].length > 1);
    return all.flatMap((one, at) => (isTorn(one, at) ? [`${kind} on pages ${pages[at].join(" and ")}: ${one[0].trim().slice(0, 70)}`] : []));
  });
}

async function checkReport(browser, path, shots) {
  const pipeline = path.match(/pipeline=([^/]+)/)?.[1];
  const name = [pipeline, basename(path).replace(/\.html$/, "")].filter(Boolean).join("-");
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const errors = [];
  const requests = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  const url = pathToFileURL(resolve(path)).href;
  page.on("request", (request) => request.url() !== url && requests.push(request.url()));
  await page.goto(url, { waitUntil: "load" });
  const shot = (kind) => (shots ? page.screenshot({ path: join(shots, `${name}-${kind}.png`), fullPage: true }) : null);

  for (const scheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme: scheme });
    check(name, `axe finds nothing in ${scheme}`, await violations(page));
    await shot(scheme);
  }
  await page.emulateMedia({ colorScheme: "light" });
  check(name, "labels of charts stay inside and apart", await clippedLabels(page));
  for (const width of [360, 768]) {
    await page.setViewportSize({ width, height: 800 });
    check(name, `no sideways scrolling at ${width} px`, await tooWide(page));
    check(name, `labels of charts stay inside and apart at ${width} px`, await clippedLabels(page));
    await shot(width);
  }
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
  await page.setViewportSize({ width: 360, height: 800 });
  check(name, "no sideways scrolling at 360 px with everything opened", await tooWide(page));
  check(name, "axe finds nothing at 360 px with everything opened", await violations(page));
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = false)));

  await page.setViewportSize({ width: 1280, height: 900 });
  await checkScript(browser, page, url, (what, problems) => check(name, what, problems));
  check(name, "axe finds nothing in sorted and filtered tables", await violations(page));

  await page.emulateMedia({ media: "print", colorScheme: "light" });
  for (const [paper, room] of Object.entries(PAPERS)) {
    await page.setViewportSize({ width: Math.floor(room.width), height: Math.floor(room.height) });
    check(name, `nothing is cut or missing on ${paper}`, await cutInPrint(page, room));
    if (paper === "A4") await shot("print");
    const pdf = await page.pdf({ format: paper, preferCSSPageSize: false, tagged: true, ...(shots ? { path: join(shots, `${name}-${paper}.pdf`) } : {}) });
    check(name, `prints to PDF on ${paper}`, pdf.subarray(0, 5).toString() === "%PDF-" && pdf.length > 10_000 ? [] : ["no PDF"]);
    check(name, `no chart and no row is cut or missing in the PDF on ${paper}`, await cutInPdf(page, pdf));
  }
  check(name, "no console error", errors);
  check(name, "no network request", requests);
  await page.close();
}

/** A page made of hostile names: everything is text, nothing runs, and it still fits on a phone. */
async function checkHostile(browser, path) {
  const name = `hostile ${path.split("/").slice(-2).join("/")}`;
  const page = await browser.newPage({ viewport: { width: 360, height: 800 } });
  const errors = [];
  const requests = [];
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("request", (request) => /^(?!file:)/.test(request.url()) && requests.push(request.url()));
  await page.goto(pathToFileURL(resolve(path)).href, { waitUntil: "load" });
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
  const isReport = !path.includes("/site/");
  check(name, "hostile names are text and nothing else", await traces(page, isReport ? ["script"] : []));
  check(name, "no sideways scrolling at 360 px with everything opened", await tooWide(page));
  check(name, "no console error, no request", [...errors, ...requests]);
  await page.close();
}

const args = process.argv.slice(2);
const hostileAt = args.indexOf("--hostile");
const hostile = hostileAt >= 0 ? args.splice(hostileAt).slice(1) : [];
const at = args.indexOf("--shots");
const shots = at >= 0 ? args.splice(at, 2)[1] : null;
if (args.length === 0) {
  console.error("usage: node check.mjs [--shots FOLDER] REPORT.html... [--hostile PAGE.html...]");
  process.exit(2);
}
if (shots) mkdirSync(shots, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
try {
  for (const path of args) {
    try {
      await checkReport(browser, path, shots);
    } catch (error) {
      check(basename(path), "the report can be checked", [String(error)]);
    }
  }
  for (const path of hostile) {
    try {
      await checkHostile(browser, path);
    } catch (error) {
      check(path, "the page can be checked", [String(error)]);
    }
  }
} finally {
  await browser.close();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
