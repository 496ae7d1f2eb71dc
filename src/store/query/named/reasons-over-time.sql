-- The strongest reasons for one person's score, run by run.
-- pipeline: whose
-- row: the person's row id
-- n = 3: how many for each run
SELECT run_date, output, method, place, feature, feature_value, attribution
FROM reasons
WHERE pipeline = $pipeline AND row_id = $row AND place <= $n
ORDER BY run_date, output, method, place
