-- Rows whose strongest reason is another one in a later run.
-- pipeline: whose
-- before: date of the earlier run
-- after: date of the later run
SELECT b.row_id, b.output, b.method, a.feature AS feature_before, a.attribution AS attribution_before,
  b.feature AS feature_after, b.attribution AS attribution_after
FROM reasons a JOIN reasons b ON a.row_id = b.row_id AND a.output = b.output AND a.method = b.method
WHERE a.pipeline = $pipeline AND b.pipeline = $pipeline AND a.run_date = $before AND b.run_date = $after
  AND a.place = 1 AND b.place = 1 AND a.feature <> b.feature
ORDER BY b.output, b.method, abs(b.attribution - a.attribution) DESC, b.row_id
