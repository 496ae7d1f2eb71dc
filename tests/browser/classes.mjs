// Writes a pipeline of several classes whose report is long: node classes.mjs GOLDENS FOLDER

import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { COLUMNS, ndjson, people } from "./people.mjs";

const [goldens, folder] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const rows = people(1_500, 3).map(({ numbers, sex, region, label }, at) => [at, ...numbers, ["female", "male", "other"][sex], `region ${region + 1}`, label]);
writeFileSync(join(folder, "classes.ndjson"), ndjson(["id", ...COLUMNS, "sex", "region", "plan"], rows));

writeFileSync(join(folder, "classes.toml"), `[pipeline]
name = "classes"
description = "Three plans, told for every class, group and method: as long as a report of a table becomes"
[data]
path = "classes.ndjson"
id = "id"
label = "plan"
[model]
path = ${JSON.stringify(resolve(goldens, "rf_multiclass.onnx"))}
task = "multiclass"
[model.inputs]
input = ${JSON.stringify(COLUMNS)}
[explain]
outputs = "all"
[[explain.also]]
method = "lime"
rows = 20
[importance]
methods = ["attribution", "permutation", "surrogate", "pdp", "ale", "ice", "interaction", "sage", "sensitivity"]
repeats = 3
[fairness]
attributes = ["sex", "region", ["sex", "region"], { column = "age", bins = [-1, 0, 1] }]
metrics = "all"
bootstrap = 50
[[gates]]
metric = "accuracy"
min = 0.1
[[gates]]
metric = "demographic_parity_difference"
attribute = "sex"
max = 0.01
severity = "warn"
[report]
title = "Plans: a long report"
`);
