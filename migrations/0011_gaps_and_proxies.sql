-- Why: the parts that features have in the gap of mean scores, with the test of random relabelling, and how well each
-- feature tells the group. Both could be worked out from row-level files only, and then without their tests.

CREATE TABLE attribution_gaps (
    run_id      TEXT NOT NULL REFERENCES runs (run_id),
    attribute   TEXT NOT NULL,
    group_value TEXT NOT NULL,
    reference   TEXT NOT NULL,
    -- '' for all rows, 'favourable label' for the rows with that label.
    condition   TEXT NOT NULL,
    feature     TEXT NOT NULL,
    output      TEXT NOT NULL,
    n           INTEGER NOT NULL,
    n_reference INTEGER NOT NULL,
    difference  REAL NOT NULL,
    ci_low      REAL,
    ci_high     REAL,
    p_value     REAL,
    p_adjusted  REAL
) STRICT;
CREATE INDEX attribution_gaps_by_run ON attribution_gaps (run_id);

CREATE TABLE proxies (
    run_id                  TEXT NOT NULL REFERENCES runs (run_id),
    attribute               TEXT NOT NULL,
    feature                 TEXT NOT NULL,
    n                       INTEGER NOT NULL,
    mutual_information      REAL NOT NULL,
    uncertainty_coefficient REAL NOT NULL,
    cramers_v               REAL NOT NULL,
    p_value                 REAL,
    auc                     REAL,
    attribution_share       REAL
) STRICT;
CREATE INDEX proxies_by_run ON proxies (run_id);
