-- Why: the chain covered a run and its files, but not the catalogue's own rows: a metric could be changed here and
-- nothing would show it. From now on a run is recorded with a digest of its rows in every table, and the chain covers
-- those. Runs recorded before keep the chain that they have.
--
-- Later migrations may add tables, and columns that are NULL in old rows; digests leave both out.

CREATE TABLE record_digests (
    run_id     TEXT NOT NULL REFERENCES runs (run_id),
    table_name TEXT NOT NULL,
    n_rows     INTEGER NOT NULL,
    sha256     TEXT NOT NULL,
    PRIMARY KEY (run_id, table_name)
) STRICT;

-- Tags of the pipeline when it ran: retention can keep what they name.
CREATE TABLE run_tags (
    run_id TEXT NOT NULL REFERENCES runs (run_id),
    tag    TEXT NOT NULL,
    PRIMARY KEY (run_id, tag)
) STRICT;

-- What retention removed: the files go, the run's rows stay.
CREATE TABLE tombstones (
    run_id       TEXT PRIMARY KEY REFERENCES runs (run_id),
    pruned_at    TEXT NOT NULL,
    -- The run's status before.
    status       TEXT NOT NULL CHECK (status IN ('succeeded', 'failed', 'aborted', 'superseded')),
    n_files      INTEGER NOT NULL,
    bytes        INTEGER NOT NULL,
    -- The rule that let it go.
    reason       TEXT NOT NULL,
    tool_version TEXT NOT NULL,
    -- Of this row, see the digests.
    sha256       TEXT NOT NULL
) STRICT;
