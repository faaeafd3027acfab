-- Deliveries may repeat: (subject, epoch, sequence) is an event's identity, so DISTINCT or GROUP BY it.
-- `day` is when Firehose wrote; always restrict it.

-- name: who said a word
SELECT DISTINCT
  subject AS rtms_stream_id,
  "time",
  json_extract_scalar(data, '$.userName') AS speaker,
  json_extract_scalar(data, '$.text') AS words
FROM rtms_events
WHERE type = 'rtms.transcript.v1'
  AND day >= '2026-11-01'
  AND lower(json_extract_scalar(data, '$.text')) LIKE '%budget%'
ORDER BY "time";

-- name: what was lost, and why
SELECT
  subject AS rtms_stream_id,
  json_extract_scalar(data, '$.mediaType') AS media,
  json_extract_scalar(data, '$.cause') AS cause,
  sum(CAST(json_extract_scalar(data, '$.count') AS bigint)) AS lost
FROM (
  SELECT DISTINCT subject, epoch, sequence, data
  FROM rtms_events
  WHERE type = 'rtms.gap.v1' AND day >= '2026-11-01'
) AS gaps
GROUP BY 1, 2, 3
ORDER BY lost DESC;

-- name: meetings, and how they ended
SELECT
  subject AS rtms_stream_id,
  min("time") AS first_event,
  max(epoch) AS epochs,
  max(CASE WHEN type = 'rtms.session_ended.v1' THEN json_extract_scalar(data, '$.stopReasonName') END) AS ended
FROM rtms_events
WHERE day >= '2026-11-01'
GROUP BY subject
ORDER BY first_event;
