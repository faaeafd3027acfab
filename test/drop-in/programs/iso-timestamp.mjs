// A backend that stores lines with a date, made from Zoom's microseconds.
import rtms from 'rtms-kinesis';

const toIsoTimestamp = (timestamp) => new Date(Number(timestamp) / 1_000).toISOString();

rtms.onWebhookEvent(({ event, payload }) => {
  if (!event.includes('rtms_started')) return;
  const client = new rtms.Client();
  client.setTranscriptParams({ srcLanguage: rtms.TranscriptLanguage.ENGLISH });
  client.onTranscriptData((data, size, timestamp, metadata) => {
    console.log(`line ${toIsoTimestamp(timestamp)} ${metadata.startTs <= metadata.endTs} ${data}`);
  });
  client.join(payload);
});
