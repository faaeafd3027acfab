-- What was said, each line once, without the meetings that were revoked. Firehose delivers at least once, and a repeat may lie in
-- another file and another day: `event_id` names the event. Runs in Athena and DuckDB as it is.
CREATE VIEW transcripts AS
SELECT *
FROM (
  SELECT
    lines.*,
    row_number() OVER (PARTITION BY event_id ORDER BY arrived_at) AS delivery
  FROM transcript_lines AS lines
) AS deliveries
WHERE delivery = 1
  AND kind <> 'session_revoked'
  AND rtms_stream_id NOT IN (
    SELECT rtms_stream_id FROM transcript_lines WHERE kind = 'session_revoked'
  );
