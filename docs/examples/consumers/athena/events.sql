-- The `events` stream as a table: what Firehose wrote to S3 (firehose.json), as it is. CloudEvents attributes are
-- columns; `data` stays JSON text, because each type has its own (docs/records.md). Days are partitions by
-- projection: no crawler, no MSCK REPAIR.
CREATE EXTERNAL TABLE rtms_events (
  `specversion` string,
  `id` string,
  `source` string,
  `type` string,
  `subject` string,
  `time` string,
  `datacontenttype` string,
  `epoch` bigint,
  `sequence` bigint,
  `data` string
)
PARTITIONED BY (`day` string)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
WITH SERDEPROPERTIES ('ignore.malformed.json' = 'FALSE')
LOCATION 's3://YOUR-BUCKET/rtms-events/'
TBLPROPERTIES (
  'projection.enabled' = 'true',
  'projection.day.type' = 'date',
  'projection.day.format' = 'yyyy-MM-dd',
  'projection.day.range' = '2026-01-01,NOW',
  'storage.location.template' = 's3://YOUR-BUCKET/rtms-events/day=${day}/'
);
