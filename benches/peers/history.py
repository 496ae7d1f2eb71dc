#!/usr/bin/env python3
"""A large history asked by `probity query` and by DuckDB: seconds, peak memory, and the ratio of the two.

    pip install numpy pyarrow duckdb
    python benches/peers/history.py [--binary target/release/probity] [--folder FOLDER] [--scale 1] [--repeats 3]

`--scale 1` makes 3,000 runs (10 pipelines, 300 nights) with 100 million rows of `explanations`, about 1 GB; another scale
changes the nights. One audit of `pipelines/adult-income.toml` is run for its catalogue and its files; every other run is
made from it: a night draws 2,778 of a pipeline's 10,000 people, whose attributions are those of the audit, shaken by up to
10 %. Files have the audit's schema, encodings, statistics and one page a column; every file's row ids span all people, so
that no statistics can leave a file out. The catalogue gets each run's rows of `runs`, `artifacts` and
`group_attributions` (by sex and by race, computed from the run's rows).

Each question is one process, in turn with DuckDB on the same files and the same SQL, after one round that warms the
system's cache; seconds are medians over `--repeats`, of whole processes. `seconds_inside` is DuckDB's without starting
Python and loading the library. A folder given is kept and used again; its history is made if it is not there.
"""
import argparse
import datetime
import json
import multiprocessing
import os
import pathlib
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import uuid

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = pathlib.Path(__file__).resolve().parents[2]
PIPELINES, NIGHTS, PEOPLE, A_NIGHT = 10, 300, 10_000, 2_778
ATTRIBUTES = ["sex", "race"]
KEPT_DIGITS = 36  # as the store keeps of an attribution
QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95]
ARTIFACTS = ["run_id", "kind", "path", "sha256", "bytes", "n_rows", "row_id_type", "label_type"]
GROUPED = ["run_id", "attribute", "group_value", "feature", "output", "n", "mean", "mean_abs", "std", "q05", "q25", "q50", "q75",
           "q95", "mean_ci_low", "mean_ci_high"]

MONTHLY = """
SELECT month, "group", place, feature, mean_abs FROM (
  SELECT *, row_number() OVER (PARTITION BY month, "group" ORDER BY mean_abs DESC, feature) AS place FROM monthly
) ranked WHERE place <= 3 ORDER BY month, "group", place"""
QUESTIONS = {
    "one person, one pipeline": """
SELECT run_date, feature, feature_value, attribution, base_value FROM explanations
WHERE pipeline = 'income-3' AND row_id = 4711 ORDER BY run_date, abs(attribution) DESC, feature""",
    "one person, every run": """
SELECT pipeline, run_date, feature, feature_value, attribution, base_value FROM explanations
WHERE row_id = 4711 ORDER BY pipeline, run_date, abs(attribution) DESC, feature""",
    "top reasons a month and group, from every row": """
WITH people AS (SELECT run_id, row_id, feature_value AS "group" FROM explanations WHERE feature = 'sex'),
monthly AS (
  SELECT substr(e.run_date, 1, 7) AS month, p."group", e.feature, avg(abs(e.attribution)) AS mean_abs
  FROM explanations e JOIN people p ON p.run_id = e.run_id AND p.row_id = e.row_id GROUP BY 1, 2, 3
)""" + MONTHLY,
}
FROM_GROUPS = "top reasons a month and group, from what each run kept of its groups"
# The catalogue is no Parquet file: a question for us alone.
GROUPS = """
WITH monthly AS (
  SELECT substr(r.as_of, 1, 7) AS month, g.group_value AS "group", g.feature, sum(g.n * g.mean_abs) / sum(g.n) AS mean_abs
  FROM group_attributions g JOIN runs r ON r.run_id = g.run_id WHERE g.attribute = 'sex' GROUP BY 1, 2, 3
)""" + MONTHLY


class Audit:
    """What every made run is made from: the files of one real run, as arrays `[people][features]`."""

    def __init__(self, folder):
        explanations, predictions = (self.read(folder, table) for table in ("explanations", "predictions"))
        self.features = explanations["feature"].to_pylist()[: len(explanations) // len(predictions)]
        by_person = (len(predictions), len(self.features))
        self.metadata = {table: self.schema_metadata(folder, table) for table in ("explanations", "predictions")}
        self.explanations, self.predictions = explanations.slice(0, by_person[1]), predictions
        self.attribution = explanations["attribution"].to_numpy().reshape(by_person)
        self.value = explanations["feature_value"].combine_chunks()
        self.groups = {name: self.column(name, by_person) for name in ATTRIBUTES}

    @staticmethod
    def file(folder, table):
        return next((folder / "var" / "results" / table / "pipeline=adult-income").rglob("*.parquet"))

    def read(self, folder, table):
        return pq.ParquetFile(self.file(folder, table)).read()

    def schema_metadata(self, folder, table):
        metadata = pq.ParquetFile(self.file(folder, table)).metadata.metadata
        return {key.decode(): value.decode() for key, value in metadata.items() if key.startswith(b"probity.")}

    def column(self, feature, by_person):
        at = np.arange(by_person[0]) * by_person[1] + self.features.index(feature)
        return np.array(self.value.take(pa.array(at)).to_pylist())


def audit(binary, folder):
    command = [binary, "run", ROOT / "pipelines" / "adult-income.toml", "--no-report", "--as-of", "2026-01-01", "--set",
               f"store.results={folder / 'var' / 'results'}", "--set", f"store.catalogue=sqlite:{folder / 'var' / 'catalogue.db'}"]
    subprocess.run(command, check=False, capture_output=True)  # its gates may fail: what counts is that files are there
    return Audit(folder)


def runs(scale):
    """(run id, pipeline, date, seed) of every made run, night by night."""
    first = datetime.date(2025, 1, 1)
    for night in range(max(1, round(NIGHTS * scale))):
        for pipeline in range(PIPELINES):
            seed = night * PIPELINES + pipeline
            run_id = str(uuid.UUID(int=(0x01A0 << 112) | (seed << 80) | (7 << 76) | (0x8 << 60) | seed))
            yield run_id, f"income-{pipeline}", str(first + datetime.timedelta(night)), seed


def shortened(values):
    """Attributions with so many digits as the store keeps of them."""
    lost = 52 - KEPT_DIGITS
    return ((values.view(np.uint64) + np.uint64(1 << (lost - 1))) >> np.uint64(lost) << np.uint64(lost)).view(np.float64)


def write(table, path, audit, name, run_id, pipeline, split):
    path.parent.mkdir(parents=True, exist_ok=True)
    about = audit.metadata[name] | {"probity.run_id": run_id, "probity.pipeline": pipeline}
    plain = {"row_id": "DELTA_BINARY_PACKED"} | dict.fromkeys(split, "BYTE_STREAM_SPLIT")
    pq.write_table(
        table.replace_schema_metadata(about), path, compression="zstd", compression_level=1, store_schema=False,
        use_dictionary=[column for column in table.column_names if column not in plain], column_encoding=plain,
        write_statistics=["row_id"], write_page_index=True, data_page_size=1 << 30, write_batch_size=1 << 17, version="1.0",
    )
    return os.path.getsize(path)


def make(audit, folder, run):
    """Writes a run's files; its rows of `artifacts` and of `group_attributions`."""
    run_id, pipeline, date, seed = run
    random = np.random.default_rng(seed)
    ids = np.sort(random.choice(PEOPLE, A_NIGHT, replace=False))
    n_features, n_known = len(audit.features), len(audit.predictions)
    known = (ids * 7 + int(pipeline[-1]) * 1_013) % n_known
    shaken = shortened(audit.attribution[known] * random.uniform(0.9, 1.1, (A_NIGHT, n_features)))
    cells = (known[:, None] * n_features + np.arange(n_features)).ravel()
    same = np.tile(np.arange(n_features), A_NIGHT)
    fixed = audit.explanations.take(pa.array(same))
    made = {"row_id": pa.array(np.repeat(ids, n_features)), "attribution": pa.array(shaken.ravel()),
            "feature_value": audit.value.take(pa.array(cells))}
    explanations = pa.table([made.get(field.name, fixed[field.name]) for field in fixed.schema], schema=fixed.schema)
    predicted = audit.predictions.take(pa.array(known))
    predictions = predicted.set_column(0, predicted.schema.field(0), pa.array(ids))
    artifacts = []
    for name, table, split in (("explanations", explanations, ["attribution", "std_err"]),
                               ("predictions", predictions, ["score", "margin"])):
        path = f"{name}/pipeline={pipeline}/run_date={date}/{run_id}.parquet"
        size = write(table, folder / "var" / "results" / path, audit, name, run_id, pipeline, split)
        artifacts.append((run_id, name, path, "0" * 64, size, len(table), "int64", "string" if name == "predictions" else None))
    output = fixed["output"][0].as_py()
    groups = [row for name in ATTRIBUTES for row in group_rows(run_id, name, audit.groups[name][known], audit.features, output, shaken)]
    return artifacts, groups


def group_rows(run_id, attribute, group, features, output, attributions):
    for value in np.unique(group):
        of = attributions[group == value]
        mean, mean_abs, std, quantiles = of.mean(0), np.abs(of).mean(0), of.std(0), np.quantile(of, QUANTILES, axis=0)
        for i, feature in enumerate(features):
            half = 1.96 * std[i] / len(of) ** 0.5
            yield (run_id, attribute, str(value), feature, output, len(of), mean[i], mean_abs[i], std[i], *quantiles[:, i],
                   mean[i] - half, mean[i] + half)


def record(folder, made):
    """The catalogue's rows: each run is the audit's row under another name."""
    with sqlite3.connect(folder / "var" / "catalogue.db") as catalogue:
        columns = [row[1] for row in catalogue.execute("PRAGMA table_info(runs)") if row[1] != "sequence"]
        known = dict(zip(columns, catalogue.execute(f"SELECT {', '.join(columns)} FROM runs").fetchone()))
        insert = lambda table, columns: f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
        for (run_id, pipeline, date, _), (artifacts, groups) in made:
            row = known | {"run_id": run_id, "pipeline": pipeline, "as_of": date, "n_rows": A_NIGHT, "prev_run_id": None}
            catalogue.execute(insert("runs", columns), [row[name] for name in columns])
            catalogue.executemany(insert("artifacts", ARTIFACTS), artifacts)
            catalogue.executemany(insert("group_attributions", GROUPED), groups)


def make_history(binary, folder, scale):
    template = audit(binary, folder)
    every = list(runs(scale))
    global make_one
    make_one = lambda run: make(template, folder, run)
    with multiprocessing.get_context("fork").Pool(os.cpu_count(), initializer=pa.set_cpu_count, initargs=(1,)) as pool:
        record(folder, list(zip(every, pool.map(call_make_one, every, chunksize=20))))
    drop_audit(folder)


def call_make_one(run):
    return make_one(run)


def drop_audit(folder):
    """The audit has other people than the runs made from it."""
    with sqlite3.connect(folder / "var" / "catalogue.db") as catalogue:
        catalogue.execute("UPDATE runs SET status = 'failed' WHERE pipeline = 'adult-income'")
        catalogue.execute("DELETE FROM group_attributions WHERE run_id IN (SELECT run_id FROM runs WHERE status = 'failed')")


DUCKDB = """
import sys, time
started = time.perf_counter()
import duckdb
loaded = time.perf_counter()
folder, sql = sys.argv[1:]
session = duckdb.connect()
session.execute("SET threads = 2; SET memory_limit = '2GB'; SET enable_progress_bar = false")
session.execute(f'''CREATE VIEW explanations AS SELECT *, parse_filename(filename, true) AS run_id FROM read_parquet(
  '{folder}/var/results/explanations/pipeline=income-*/*/*.parquet', hive_partitioning = true, filename = true,
  hive_types = {{'pipeline': VARCHAR, 'run_date': VARCHAR}})''')
session.execute(f"COPY ({sql}) TO '/dev/stdout' (FORMAT csv)")
print(time.perf_counter() - loaded, file=sys.stderr)
"""


def measured(command):
    """Seconds, peak memory in MB, lines of the answer and what was said on stderr, of a whole process."""
    with tempfile.NamedTemporaryFile("r") as peak:
        # By a process between, as a child's own peak begins with what its parent holds.
        timed = ["/usr/bin/time", "-f", "%M", "-o", peak.name, *map(str, command)]
        started = time.perf_counter()
        done = subprocess.run(timed, capture_output=True, text=True)
        seconds = time.perf_counter() - started
        if done.returncode:
            sys.exit(f"{command[0]}: {done.stderr}")
        kilobytes = int(peak.read())
    return {"seconds": seconds, "peak_mb": kilobytes / 1024, "answer": done.stdout.splitlines()[1:], "said": done.stderr}


def same_answer(ours, theirs):
    """Equal but for the last digits of sums that were added in another order."""
    def alike(a, b):
        try:
            return a == b or abs(float(a) - float(b)) <= 1e-9 * max(1, abs(float(b)))
        except ValueError:
            return False
    cells = [(a.split(","), b.split(",")) for a, b in zip(ours, theirs)]
    return len(ours) == len(theirs) and all(len(a) == len(b) and all(map(alike, a, b)) for a, b in cells)


def median(results, key):
    return statistics.median(result[key] for result in results)


def compare(binary, folder, repeats):
    ask = lambda sql: [binary, "query", sql, "--format", "csv", "--catalogue", f"sqlite:{folder / 'var' / 'catalogue.db'}"]
    for question, sql in QUESTIONS.items():
        ours, theirs = [], []
        for _ in range(repeats + 1):
            ours.append(measured(ask(sql)))
            theirs.append(measured([sys.executable, "-c", DUCKDB, folder, sql]))
        inside = statistics.median(float(result["said"]) for result in theirs[1:])
        seconds, peer = median(ours[1:], "seconds"), median(theirs[1:], "seconds")
        print(json.dumps({
            "question": question, "seconds": round(seconds, 3), "peak_mb": round(median(ours, "peak_mb")),
            "duckdb_seconds": round(peer, 3), "duckdb_seconds_inside": round(inside, 3),
            "duckdb_peak_mb": round(median(theirs, "peak_mb")), "ratio": round(seconds / peer, 2),
            "ratio_inside": round(seconds / inside, 2), "rows": len(ours[0]["answer"]),
            "same_answer": same_answer(ours[0]["answer"], theirs[0]["answer"]),
        }), flush=True)
    answers = [measured(ask(GROUPS)) for _ in range(repeats + 1)]
    print(json.dumps({
        "question": FROM_GROUPS, "seconds": round(median(answers[1:], "seconds"), 3), "peak_mb": round(median(answers, "peak_mb")),
        "rows": len(answers[0]["answer"]), "same_answer_as_from_every_row": same_answer(answers[0]["answer"], ours[0]["answer"]),
    }))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=ROOT / "target" / "release" / "probity")
    parser.add_argument("--folder", help="where the history is, or is to be made")
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--repeats", type=int, default=3)
    a = parser.parse_args()
    binary = pathlib.Path(a.binary).resolve()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(a.folder or temporary).resolve()
        if not (folder / "var" / "catalogue.db").exists():
            started = time.perf_counter()
            make_history(binary, folder, a.scale)
            files = list((folder / "var" / "results" / "explanations").glob("pipeline=income-*/*/*.parquet"))
            rows = sum(pq.read_metadata(file).num_rows for file in files)
            size = sum(file.stat().st_size for file in files)
            print(json.dumps({"runs": len(files), "rows": rows, "bytes_a_row": round(size / rows, 2),
                              "seconds_to_make": round(time.perf_counter() - started)}), flush=True)
        compare(binary, folder, a.repeats)


if __name__ == "__main__":
    main()
