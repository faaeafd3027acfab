// Checks Zoom's signature itself, over what JSON.stringify makes of the event.
import { createHmac } from 'node:crypto';
import rtms from 'rtms-kinesis';

function isGenuine(event, headers) {
  const signed = `v0:${headers['x-zm-request-timestamp']}:${JSON.stringify(event)}`;
  const digest = createHmac('sha256', process.env.ZOOM_SECRET_TOKEN).update(signed).digest('hex');
  return headers['x-zm-signature'] === `v0=${digest}`;
}

rtms.onWebhookEvent((event, request, response) => {
  if (!isGenuine(event, request.headers)) {
    console.log('refused');
    response.writeHead(401).end();
    return;
  }
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ status: 'ok' }));
  if (event.event !== 'meeting.rtms_started') return;
  const client = new rtms.Client();
  client.onTranscriptData((data, size, timestamp, metadata) => {
    console.log(`heard ${metadata.userName}: ${data}`);
  });
  client.join(event.payload);
});
