-- One feature's importance in every run.
-- pipeline: whose
-- feature: which feature
-- method = attribution: attribution, permutation, …
SELECT as_of, output, metric, value, ci_low, ci_high, rank, previous_rank
FROM importance_over_time
WHERE pipeline = $pipeline AND feature = $feature AND method = $method
ORDER BY as_of, output, metric
