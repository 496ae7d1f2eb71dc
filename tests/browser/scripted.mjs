// What the page's own script does when it may run, and that nothing is missing when it may not.

/** The visible rows of the first table that `picked` finds, as texts of their first cells. */
const order = (page, table) => table.evaluate((e) => [...e.tBodies[0].rows].map((row) => row.cells[0].textContent));

/** The first table whose every cell in some numeric column is a plain number, its place in the page and the column. */
function sortable(page) {
  return page.evaluate(() => {
    const number = (cell) => cell.querySelector("bdi")?.textContent.match(/^[−+]?[\d,]+(\.\d+)?( %)?$/);
    for (const [at, table] of [...document.querySelectorAll("main table")].entries()) {
      const rows = [...table.tBodies[0].rows];
      const heads = [...table.tHead.rows[0].cells];
      const column = heads.findIndex((head, at) => head.classList.contains("n") && head.querySelector("button") && rows.every((row) => number(row.cells[at])));
      if (column > 0 && new Set(rows.map((row) => row.cells[column].textContent)).size > 2) return { at, column };
    }
    return null;
  });
}

function values(table, column) {
  return table.evaluate((e, column) => [...e.tBodies[0].rows].map((row) => Number(row.cells[column].querySelector("bdi").textContent.replace("−", "-").replace(/[, %]/g, ""))), column);
}

/** Sorts by keyboard: up, down, as it was. Returns what went wrong. */
async function sorting(page) {
  const found = await sortable(page);
  if (!found) return ["no table can be sorted by a column of numbers"];
  const table = page.locator("main table").nth(found.at);
  await table.evaluate((e) => { const fold = e.closest("details"); if (fold) fold.open = true; });
  const problems = [];
  const before = await order(page, table);
  const head = table.locator("thead th").nth(found.column);
  const press = async () => { await head.locator("button").focus(); await page.keyboard.press("Enter"); };
  const is = (sign, list) => list.every((value, at) => at === 0 || sign * (value - list[at - 1]) >= 0);
  for (const [sign, state] of [[1, "ascending"], [-1, "descending"]]) {
    await press();
    if ((await head.getAttribute("aria-sort")) !== state) problems.push(`aria-sort is not ${state}`);
    if (!is(sign, await values(table, found.column))) problems.push(`not ${state}: ${(await values(table, found.column)).slice(0, 9)}`);
  }
  await press();
  if ((await head.getAttribute("aria-sort")) !== null) problems.push("aria-sort stays when the order is as it was");
  if ((await order(page, table)).join() !== before.join()) problems.push("the third press does not bring back the order");
  await press();
  return problems;
}

/** Filters a long table, and looks at it on paper. */
async function filtering(page) {
  const box = page.locator(".filter").first();
  if ((await box.count()) === 0) return [];
  await box.evaluate((e) => { const fold = e.closest("details"); if (fold) fold.open = true; });
  const table = box.locator("xpath=following-sibling::*[1]").locator("table");
  const wanted = await table.evaluate((e) => e.tBodies[0].rows[4].cells[0].querySelector("bdi").textContent);
  await box.locator("input").fill(wanted.toUpperCase());
  const rows = () => table.evaluate((e) => [...e.tBodies[0].rows].map((row) => [row.getBoundingClientRect().height > 0, row.textContent]));
  const problems = [];
  const found = await rows();
  for (const [shown, text] of found) if (shown !== text.toLowerCase().includes(wanted.toLowerCase())) problems.push(`${shown ? "shown" : "hidden"}: ${text.slice(0, 60)}`);
  const said = await box.locator("output").textContent();
  if (!said.includes(String(found.length))) problems.push(`the count says "${said}"`);
  await page.emulateMedia({ media: "print" });
  if ((await rows()).some(([shown]) => !shown)) problems.push("a row that is filtered out is missing on paper");
  if (await box.evaluate((e) => e.getBoundingClientRect().height > 0)) problems.push("the field is printed");
  await page.emulateMedia({ media: "screen" });
  return problems;
}

/** The button beside a heading leads there. */
async function copying(page) {
  const button = page.locator(".copy").first();
  const id = await button.evaluate((e) => e.previousElementSibling.id);
  await button.click();
  const hash = await page.evaluate(() => location.hash);
  await page.evaluate(() => history.replaceState(null, "", location.pathname));
  return hash === `#${id}` ? [] : [`the address says "${hash}" and not "#${id}"`];
}

/** With scripting off the page has the same rows and nothing to press. */
async function without(browser, url, page) {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const bare = await context.newPage();
  await bare.goto(url, { waitUntil: "load" });
  const count = (of, what) => of.locator(what).count();
  const problems = [];
  for (const what of ["button", "input", "output"]) if ((await count(bare, what)) > 0) problems.push(`a dead ${what}`);
  for (const what of ["tr", "figure", "h2"]) if ((await count(bare, what)) !== (await count(page, what))) problems.push(`another number of ${what}`);
  await context.close();
  return problems;
}

/** All of it; leaves the page with a sorted and a filtered table, for axe to look at. */
export async function checkScript(browser, page, url, check) {
  const policy = await page.locator("meta[http-equiv=Content-Security-Policy]").getAttribute("content");
  check("the script is allowed by its hash alone", /script-src 'sha256-[A-Za-z0-9+/]{43}='$/.test(policy) ? [] : [policy]);
  check("with scripting off nothing is dead or missing", await without(browser, url, page));
  check("a link to a section can be copied", await copying(page));
  check("tables are sorted by keyboard, and back", await sorting(page));
  check("long tables are filtered, and whole on paper", await filtering(page));
}
