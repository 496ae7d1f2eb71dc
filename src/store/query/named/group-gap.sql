-- A gap between groups, run by run.
-- pipeline: whose
-- attribute: sex, race, …
-- metric = demographic_parity_ratio: which gap
SELECT as_of, output, value, ci_low, ci_high, change, pair_a, pair_b
FROM group_gaps
WHERE pipeline = $pipeline AND attribute = $attribute AND metric = $metric
ORDER BY output, as_of
