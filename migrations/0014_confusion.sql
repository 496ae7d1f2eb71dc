-- Why: which classes are taken for which stood in run.json alone, where no history can be asked about it; and of groups it
-- stood nowhere.

CREATE TABLE confusion (
    run_id      TEXT NOT NULL REFERENCES runs (run_id),
    -- '' for all rows.
    attribute   TEXT NOT NULL,
    group_value TEXT NOT NULL,
    actual      TEXT NOT NULL,
    predicted   TEXT NOT NULL,
    n           INTEGER NOT NULL,
    weight      REAL NOT NULL
) STRICT;
CREATE INDEX confusion_by_run ON confusion (run_id);
