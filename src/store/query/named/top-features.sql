-- The most important features of the latest run, and their rank in the run before.
-- pipeline: whose
-- n = 10: how many for each output
-- method = attribution: attribution, permutation, …
SELECT i.output, i.rank, i.feature, i.value, i.ci_low, i.ci_high, i.previous_rank, i.as_of
FROM importance_over_time i JOIN latest_runs l ON l.run_id = i.run_id
WHERE i.pipeline = $pipeline AND i.method = $method AND i.rank <= $n
ORDER BY i.output, i.rank, i.feature
