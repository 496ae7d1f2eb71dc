// Writes pipelines in which every name that data and config can give is hostile: node hostile.mjs DATA MODEL GOLDENS FOLDER

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { COLUMNS, ndjson, people } from "./people.mjs";

export const HOSTILE = {
  script: "<script>window.hacked=1</script>",
  image: '"><img src=x onerror="window.hacked=1">',
  template: "{{7*7}}{% raw %}{{ say('language') }}",
  override: "\u202Egnp.exe\u202C",
  emoji: "👩🏽‍⚕️🏳️‍🌈",
  long: "x".repeat(10_000),
  nul: "nul\u0000nul",
  ends: "</title></style></script><!--",
};

const number = (value) => (Number.isNaN(Number(value)) ? value : Number(value));
const text = (value) => JSON.stringify(value);

/** The regression's columns renamed, and its groups. */
function regression(rows, model, folder) {
  const h = HOSTILE;
  const [head, ...body] = rows;
  const names = { age: h.script, bmi: h.image, blood_pressure: h.template, total_cholesterol: h.override, ldl: h.emoji, hdl: h.long, cholesterol_ratio: h.nul, log_triglycerides: h.ends, progression: `label ${h.script}` };
  const codes = { "sex code 1": h.script, "sex code 2": h.image };
  const renamed = head.map((name) => names[name] ?? name);
  const groups = Object.values(h);
  const data = body.map((row, at) => [...row.map((value) => codes[value] ?? number(value)), groups[at % groups.length]]);
  writeFileSync(join(folder, "regression.ndjson"), ndjson([...renamed, h.ends + h.emoji], data));
  const inputs = ["age", "sex", "bmi", "blood_pressure", "total_cholesterol", "ldl", "hdl", "cholesterol_ratio", "log_triglycerides", "glucose"];
  return `[pipeline]
name = "hostile-regression"
description = ${text(h.script + h.long)}
owner = ${text(h.image)}
version = ${text(h.template)}
tags = [${text(h.override)}, ${text(h.nul)}]
[data]
path = "regression.ndjson"
id = "row_id"
label = ${text(names.progression)}
[data.encode]
sex = [${text(h.script)}, ${text(h.image)}]
[model]
path = ${text(resolve(model))}
task = "regression"
[model.inputs]
input = [${inputs.map((name) => text(names[name] ?? name)).join(", ")}]
[importance]
methods = ["attribution", "permutation"]
[fairness]
attributes = ["sex", ${text(h.ends + h.emoji)}]
min_group_rows = 5
[[gates]]
metric = "mae_ratio"
attribute = ${text(h.ends + h.emoji)}
min = 0.99
severity = "warn"
[report]
title = ${text(`${h.script}${h.image}${h.override}${h.nul}${h.long}`)}
templates = ["audit", "model-card", "eu-ai-act", "model-risk"]
[report.fields]
intended_use = ${text(Object.values(h).join(" "))}
`;
}

/** Recorded decisions of a classifier with hostile classes. */
function decisions(rows, folder) {
  const h = HOSTILE;
  const [yes, no] = [`yes ${h.script}`, `no ${h.image}`];
  const [head, ...body] = rows;
  const [bmi, progression] = ["bmi", "progression"].map((name) => head.indexOf(name));
  const groups = Object.values(h);
  const share = (value) => Math.min(0.99, Math.max(0.01, (Number(value) - 15) / 30));
  const data = body.map((row, at) => [`${h.script}${at}`, share(row[bmi]), Number(row[progression]) > 150 ? yes : no, groups[at % groups.length], groups[(at * 5) % groups.length]]);
  const columns = [`id ${h.image}`, `score ${h.template}`, `label ${h.script}`, h.script, h.image];
  writeFileSync(join(folder, "decisions.ndjson"), ndjson(columns, data));
  return `[pipeline]
name = "hostile-decisions"
[data]
path = "decisions.ndjson"
id = ${text(columns[0])}
score = ${text(columns[1])}
label = ${text(columns[2])}
positive = ${text(yes)}
[model]
task = "binary"
[explain]
method = "none"
[fairness]
attributes = [${text(h.script)}, ${text(h.image)}, [${text(h.script)}, ${text(h.image)}]]
min_group_rows = 5
[[gates]]
metric = "demographic_parity_ratio"
attribute = ${text(h.script)}
min = 0.99
severity = "warn"
[report]
templates = ["audit", "nyc-ll144", "adverse-action"]
title = ${text(h.template)}
`;
}

/** A model of two classes that is explained, under a logo and with a section of the house. */
function binary(goldens, folder) {
  const h = HOSTILE;
  const names = Object.values(h);
  const [yes, no] = [`yes ${h.script}`, `no ${h.image}`];
  const columns = COLUMNS.map((name, at) => `${names[at]} × ${name}`);
  const [sex, region, label] = [`sex ${h.ends}`, h.long, `label ${h.template}`];
  const rows = people(400, 2).map((one, at) => [at, ...one.numbers, names[one.sex], names[one.region % names.length], one.label === 1 ? yes : no]);
  writeFileSync(join(folder, "binary.ndjson"), ndjson(["id", ...columns, sex, region, label], rows));
  writeFileSync(join(folder, "logo.svg"), `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 1" onload="window.hacked=1"><rect width="4" height="1"/></svg>`);
  writeFileSync(join(folder, "own.md"), `# ${h.script}\n\n${h.image} ${h.template} ${h.override}\n\n[${h.emoji}](javascript:window.hacked=1) ![${h.ends}](https://example.org/x.png)\n\n| ${h.script} | b |\n|---|--:|\n| ${h.image} | 1 |\n\n\`\`\`\n${h.ends}\n\`\`\`\n`);
  return `[pipeline]
name = "hostile-binary"
[data]
path = "binary.ndjson"
id = "id"
label = ${text(label)}
positive = ${text(yes)}
favourable = ${text(yes)}
[model]
path = ${text(resolve(goldens, "xgb_binary.onnx"))}
classes = [${text(no)}, ${text(yes)}]
[model.inputs]
input = [${columns.map(text).join(", ")}]
[[explain.also]]
method = "lime"
rows = 10
[importance]
methods = ["attribution", "permutation", "surrogate", "pdp", "ale", "ice", "interaction", "sage"]
repeats = 2
[[importance.groups]]
name = ${text(h.image)}
columns = [${text(columns[0])}, ${text(columns[1])}]
[fairness]
attributes = [${text(sex)}, ${text(region)}, [${text(sex)}, ${text(region)}]]
min_group_rows = 5
bootstrap = 50
[[gates]]
metric = "demographic_parity_ratio"
attribute = ${text(sex)}
min = 0.99
severity = "warn"
[report]
title = ${text(h.image)}
templates = ["audit", "adverse-action", "model-card"]
logo = "logo.svg"
logo_alt = ${text(`${h.image}${h.ends}`)}
[[report.sections]]
title = ${text(`${h.script}${h.ends}`)}
file = "own.md"
place = "drivers"
[report.reasons]
${text(columns[0])} = ${text(h.script)}
`;
}

/** Whether this file was started, and not only read by another. */
const isMain = process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href;
if (isMain) {
  const [data, model, goldens, folder] = process.argv.slice(2);
  mkdirSync(folder, { recursive: true });
  const rows = readFileSync(data, "utf8").trim().split("\n").map((line) => line.split(","));
  writeFileSync(join(folder, "regression.toml"), regression(rows, model, folder));
  writeFileSync(join(folder, "decisions.toml"), decisions(rows, folder));
  writeFileSync(join(folder, "binary.toml"), binary(goldens, folder));
}

/** What came of hostile names in a page: elements, attributes or handlers, a script that ran, a text that is lost. */
export function traces(page, expected) {
  return page.evaluate(([hostile, expected]) => {
    const problems = [];
    if (window.hacked) problems.push("a script of the data ran");
    const foreign = "img:not(header > img.logo), iframe, object, embed, base, form, link:not([rel=stylesheet]), foreignObject, audio, video, template";
    for (const element of document.querySelectorAll(foreign)) problems.push(element.outerHTML.slice(0, 90));
    for (const logo of document.querySelectorAll("img.logo")) {
      if (!/^data:image\/svg\+xml;base64,[A-Za-z0-9+/]+=*$/.test(logo.src)) problems.push(`logo: ${logo.src.slice(0, 60)}`);
      if (!(logo.complete && logo.naturalWidth > 0)) problems.push("the logo is not shown");
    }
    for (const link of document.querySelectorAll("a")) if (/^\s*(?!https?:|mailto:)[a-z][\w+.-]*:/i.test(link.getAttribute("href"))) problems.push(`link: ${link.outerHTML.slice(0, 90)}`);
    const scripts = [...document.scripts].filter((script) => script.textContent.includes("hacked") || script.src);
    for (const script of scripts) problems.push(`script: ${script.textContent.slice(0, 60)}`);
    if (document.scripts.length > 1) problems.push(`${document.scripts.length} scripts`);
    for (const element of document.querySelectorAll("*")) {
      for (const { name, value } of element.attributes) {
        if (!/^[a-z][a-zA-Z0-9-]*$/.test(name) || name.startsWith("on") || (/^\s*(javascript|data):/i.test(value) && !element.matches("img.logo"))) problems.push(`${element.tagName} ${name}="${value.slice(0, 40)}"`);
      }
    }
    const everything = document.documentElement.textContent + [...document.querySelectorAll("[title]")].map((e) => e.title).join();
    if (/[\u0000\u202A-\u202E\u2066-\u2069]/.test(everything)) problems.push("a character that reorders, or NUL, is in the text");
    for (const name of expected) if (!everything.includes(hostile[name])) problems.push(`not shown as text: ${hostile[name]}`);
    return problems;
  }, [HOSTILE, expected]);
}
