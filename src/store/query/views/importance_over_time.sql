-- Importance of every feature in every succeeded run, with its rank in the pipeline's run before.
SELECT r.pipeline, r.as_of, i.run_id, i.method, i.metric, i.output, i.feature, i.value, i.ci_low, i.ci_high, i.rank,
  lag(i.rank) OVER (
    PARTITION BY r.pipeline, i.method, i.metric, i.output, i.feature ORDER BY r.as_of, r.sequence
  ) AS previous_rank
FROM importance i JOIN runs r ON r.run_id = i.run_id
WHERE r.status = 'succeeded'
