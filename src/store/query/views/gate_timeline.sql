-- Every gate of every succeeded run, with its decision in the pipeline's run before.
SELECT r.pipeline, r.as_of, g.run_id, g.gate, g.metric, g.attribute, g.observed, g.ci_low, g.ci_high, g."limit",
  g.decision, g.severity, g.reason,
  lag(g.decision) OVER (PARTITION BY r.pipeline, g.gate ORDER BY r.as_of, r.sequence) AS previous_decision
FROM gates g JOIN runs r ON r.run_id = g.run_id
WHERE r.status = 'succeeded'
