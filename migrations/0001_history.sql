-- Why: the history of all audits in one file that `sqlite3` can read, one table per kind of result, so that most
-- questions need no other tool. What a run found out is inserted in one transaction and never changed; only `status`
-- and `superseded_by` of a run may change later.
--
-- STRICT: a value of the wrong type is an error today, not a surprise in three years.
-- "" stands for "overall" (attribute, group_value, stratum), NULL for "not known" or "undefined".

CREATE TABLE runs (
    -- Order of recording. AUTOINCREMENT never gives a number twice, so a deleted row leaves a gap.
    sequence       INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id         TEXT NOT NULL UNIQUE,
    pipeline       TEXT NOT NULL,
    as_of          TEXT NOT NULL,
    started_at     TEXT NOT NULL,
    finished_at    TEXT,
    status         TEXT NOT NULL CHECK (status IN ('succeeded', 'failed', 'aborted', 'superseded', 'pruned')),
    verdict        TEXT CHECK (verdict IN ('pass', 'fail', 'insufficient')),
    tool_version   TEXT NOT NULL,
    config_sha256  TEXT NOT NULL,
    model_sha256   TEXT NOT NULL,
    data_sha256    TEXT NOT NULL,
    -- Unique: a chain does not fork.
    prev_run_id    TEXT UNIQUE REFERENCES runs (run_id),
    chain_sha256   TEXT NOT NULL,
    seed           INTEGER NOT NULL,
    n_rows         INTEGER NOT NULL,
    explain_method TEXT NOT NULL,
    explain_scale  TEXT NOT NULL,
    -- Seconds by stage, a JSON object.
    timings        TEXT NOT NULL,
    -- The run that this one replaces (`--force`), and the run that replaced this one.
    supersedes     TEXT REFERENCES runs (run_id),
    superseded_by  TEXT REFERENCES runs (run_id),
    -- Why a failed or aborted run ended.
    error          TEXT,
    -- The results folder of this run's files, relative to the catalogue's folder where both are on one tree.
    results        TEXT NOT NULL
) STRICT;
CREATE INDEX runs_by_pipeline ON runs (pipeline, as_of);

CREATE TABLE metrics (
    run_id               TEXT NOT NULL REFERENCES runs (run_id),
    metric               TEXT NOT NULL,
    attribute            TEXT NOT NULL,
    group_value          TEXT NOT NULL,
    stratum              TEXT NOT NULL,
    reference            TEXT NOT NULL,
    output               TEXT NOT NULL,
    value                REAL,
    undefined_reason     TEXT,
    ci_low               REAL,
    ci_high              REAL,
    confidence           REAL,
    p_value              REAL,
    n                    INTEGER NOT NULL,
    n_positive           INTEGER,
    n_predicted_positive INTEGER,
    denominator          INTEGER,
    pair_a               TEXT,
    pair_b               TEXT,
    CHECK ((value IS NULL) = (undefined_reason IS NOT NULL))
) STRICT;
CREATE INDEX metrics_by_run ON metrics (run_id);

CREATE TABLE group_counts (
    run_id      TEXT NOT NULL REFERENCES runs (run_id),
    attribute   TEXT NOT NULL,
    group_value TEXT NOT NULL,
    stratum     TEXT NOT NULL,
    output      TEXT NOT NULL,
    n           INTEGER NOT NULL,
    weight      REAL NOT NULL,
    tp          REAL,
    fp          REAL,
    tn          REAL,
    fn          REAL
) STRICT;
CREATE INDEX group_counts_by_run ON group_counts (run_id);

CREATE TABLE importance (
    run_id  TEXT NOT NULL REFERENCES runs (run_id),
    method  TEXT NOT NULL,
    metric  TEXT NOT NULL,
    feature TEXT NOT NULL,
    output  TEXT NOT NULL,
    value   REAL NOT NULL,
    std_err REAL,
    ci_low  REAL,
    ci_high REAL,
    rank    INTEGER NOT NULL
) STRICT;
CREATE INDEX importance_by_run ON importance (run_id);

CREATE TABLE group_attributions (
    run_id       TEXT NOT NULL REFERENCES runs (run_id),
    attribute    TEXT NOT NULL,
    group_value  TEXT NOT NULL,
    feature      TEXT NOT NULL,
    output       TEXT NOT NULL,
    n            INTEGER NOT NULL,
    mean         REAL NOT NULL,
    mean_abs     REAL NOT NULL,
    std          REAL NOT NULL,
    q05          REAL NOT NULL,
    q25          REAL NOT NULL,
    q50          REAL NOT NULL,
    q75          REAL NOT NULL,
    q95          REAL NOT NULL,
    mean_ci_low  REAL NOT NULL,
    mean_ci_high REAL NOT NULL
) STRICT;
CREATE INDEX group_attributions_by_run ON group_attributions (run_id);

CREATE TABLE gates (
    run_id         TEXT NOT NULL REFERENCES runs (run_id),
    gate           TEXT NOT NULL,
    metric         TEXT NOT NULL,
    attribute      TEXT NOT NULL,
    observed       REAL,
    "limit"        REAL NOT NULL,
    baseline_value REAL,
    decision       TEXT NOT NULL CHECK (decision IN ('pass', 'fail', 'insufficient')),
    severity       TEXT NOT NULL,
    reason         TEXT NOT NULL,
    ci_low         REAL,
    ci_high        REAL,
    n              INTEGER NOT NULL
) STRICT;
CREATE INDEX gates_by_run ON gates (run_id);

CREATE TABLE drift (
    run_id          TEXT NOT NULL REFERENCES runs (run_id),
    subject         TEXT NOT NULL,
    feature         TEXT NOT NULL,
    measure         TEXT NOT NULL,
    value           REAL NOT NULL,
    baseline_run_id TEXT NOT NULL
) STRICT;
CREATE INDEX drift_by_run ON drift (run_id);

CREATE TABLE curves (
    run_id      TEXT NOT NULL REFERENCES runs (run_id),
    kind        TEXT NOT NULL,
    feature     TEXT NOT NULL,
    group_value TEXT NOT NULL,
    output      TEXT NOT NULL,
    x           REAL NOT NULL,
    y           REAL NOT NULL,
    n           INTEGER NOT NULL,
    ci_low      REAL,
    ci_high     REAL
) STRICT;
CREATE INDEX curves_by_run ON curves (run_id);

CREATE TABLE artifacts (
    run_id       TEXT NOT NULL REFERENCES runs (run_id),
    kind         TEXT NOT NULL,
    path         TEXT NOT NULL,
    sha256       TEXT NOT NULL,
    bytes        INTEGER NOT NULL,
    n_rows       INTEGER,
    -- Types that differ between pipelines, so that a query need not open the file to know them.
    row_id_type  TEXT CHECK (row_id_type IN ('int64', 'string')),
    label_type   TEXT CHECK (label_type IN ('double', 'string')),
    PRIMARY KEY (run_id, path)
) STRICT;
CREATE INDEX artifacts_by_kind ON artifacts (kind);

-- One row per hash; run_id is the run that saw it first.
CREATE TABLE models (
    sha256     TEXT PRIMARY KEY,
    run_id     TEXT NOT NULL REFERENCES runs (run_id),
    path       TEXT NOT NULL,
    producer   TEXT NOT NULL,
    opset      INTEGER NOT NULL,
    inputs     INTEGER NOT NULL,
    structure  TEXT NOT NULL,
    parameters INTEGER NOT NULL
) STRICT;

CREATE TABLE datasets (
    sha256  TEXT PRIMARY KEY,
    run_id  TEXT NOT NULL REFERENCES runs (run_id),
    path    TEXT NOT NULL,
    rows    INTEGER NOT NULL,
    columns INTEGER NOT NULL,
    -- Columns that the model reads, a JSON list of {"name", "kind"}.
    schema  TEXT NOT NULL
) STRICT;

CREATE TABLE layers (
    run_id        TEXT NOT NULL REFERENCES runs (run_id),
    layer         TEXT NOT NULL,
    op            TEXT NOT NULL,
    shape         TEXT NOT NULL,
    parameters    INTEGER NOT NULL,
    attribute     TEXT NOT NULL,
    group_value   TEXT NOT NULL,
    mean          REAL,
    std           REAL,
    zero_fraction REAL,
    dead_units    INTEGER,
    separability  REAL
) STRICT;
CREATE INDEX layers_by_run ON layers (run_id);
