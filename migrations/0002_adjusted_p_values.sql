-- Why: a p-value that is read beside those of other groups must be adjusted for their number
-- (Benjamini and Hochberg 1995, over the groups that a metric compares with the reference). NULL where there is no
-- test, and in runs recorded before.

ALTER TABLE metrics ADD COLUMN p_adjusted REAL;
