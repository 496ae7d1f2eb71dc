-- What every gate observed and decided, run by run.
-- pipeline: whose
SELECT as_of, gate, observed, "limit", decision, previous_decision, severity, reason
FROM gate_timeline
WHERE pipeline = $pipeline
ORDER BY gate, as_of
