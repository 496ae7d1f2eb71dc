-- Every metric that compares groups, in every succeeded run, with its change since the pipeline's run before.
SELECT r.pipeline, r.as_of, m.run_id, m.metric, m.attribute, m.output, m.value, m.ci_low, m.ci_high, m.pair_a, m.pair_b,
  m.value - lag(m.value) OVER (
    PARTITION BY r.pipeline, m.metric, m.attribute, m.output ORDER BY r.as_of, r.sequence
  ) AS change
FROM metrics m JOIN runs r ON r.run_id = m.run_id
WHERE r.status = 'succeeded' AND m.attribute <> '' AND m.group_value = '' AND m.stratum = ''
