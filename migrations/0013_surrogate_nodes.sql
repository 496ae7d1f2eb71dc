-- Why: the small tree that stands in for a model is a finding of its own, and what changed in it from night to night is a
-- question to the history. Its worth stands in `metrics`, under the attribute '(model)'.

CREATE TABLE surrogate_nodes (
    run_id      TEXT NOT NULL REFERENCES runs (run_id),
    -- 0 is the root.
    node        INTEGER NOT NULL,
    parent      INTEGER,
    -- 'yes' or 'no': the branch of the parent that leads here; '' for the root.
    branch      TEXT NOT NULL,
    output      TEXT NOT NULL,
    -- Mean score of the output.
    value       REAL NOT NULL,
    -- Rows of the sample that reach the node, and their share of all weight.
    n           INTEGER NOT NULL,
    share       REAL NOT NULL,
    decision    TEXT,
    -- The node's question: at most the threshold, one of the categories (a JSON list), or, with neither, known. NULL for
    -- a leaf.
    feature     TEXT,
    threshold   REAL,
    categories  TEXT,
    -- Branch of rows without a value.
    missing     TEXT,
    -- Share of the node's sum of squares that the question takes.
    gain        REAL
) STRICT;
CREATE INDEX surrogate_nodes_by_run ON surrogate_nodes (run_id);
