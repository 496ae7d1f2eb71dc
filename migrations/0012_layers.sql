-- Why: how many rows and units a layer's statistics rest on and how far they reach, and how well linear probes of each
-- layer tell the label and the groups, with their intervals and what would be reached without looking.

ALTER TABLE layers ADD COLUMN n INTEGER;
ALTER TABLE layers ADD COLUMN units INTEGER;
ALTER TABLE layers ADD COLUMN minimum REAL;
ALTER TABLE layers ADD COLUMN maximum REAL;

CREATE TABLE layer_probes (
    run_id           TEXT NOT NULL REFERENCES runs (run_id),
    layer            TEXT NOT NULL,
    -- '' for the label.
    attribute        TEXT NOT NULL,
    measure          TEXT NOT NULL,
    value            REAL,
    undefined_reason TEXT,
    ci_low           REAL,
    ci_high          REAL,
    baseline         REAL,
    n_train          INTEGER NOT NULL,
    n_test           INTEGER NOT NULL,
    n_classes        INTEGER NOT NULL,
    n_inputs         INTEGER NOT NULL,
    reduction        TEXT NOT NULL
) STRICT;
CREATE INDEX layer_probes_by_run ON layer_probes (run_id);
