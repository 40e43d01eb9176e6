-- One row per claim, with its customer. Each table has one row per policy_id
-- here: the latest record, without deleted ones, event_time and is_deleted.
-- Plain SQL: on Athena or Trino it runs as it is, on views that are clean alike.
SELECT *
FROM claims
LEFT JOIN customers USING (policy_id)
