-- Attributions of every row in every succeeded run; place 1 is the strongest of its row, output and method.
SELECT e.pipeline, e.run_date, e.run_id, e.row_id, e.output, e.method,
  row_number() OVER (
    PARTITION BY e.pipeline, e.run_date, e.run_id, e.row_id, e.output, e.method
    ORDER BY abs(e.attribution) DESC, e.feature
  ) AS place,
  e.feature, e.feature_value, e.attribution, e.base_value
FROM explanations e JOIN runs r ON r.run_id = e.run_id
WHERE r.status = 'succeeded'
