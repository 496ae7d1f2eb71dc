-- The succeeded run of each pipeline's latest date.
SELECT pipeline, as_of, run_id, verdict, n_rows, explain_method, explain_scale, model_sha256, data_sha256
FROM (
  SELECT *, row_number() OVER (PARTITION BY pipeline ORDER BY as_of DESC, sequence DESC) AS place
  FROM runs WHERE status = 'succeeded'
) WHERE place = 1
