// The webhook in a Hono server on Node: its handler is given Node's own request and response.

import { serve } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { Hono } from 'hono';
import rtms from 'rtms-kinesis';

const app = new Hono();
const handler = rtms.createWebhookHandler(({ event, payload }) => {
  if (event !== 'meeting.rtms_started') return;
  const client = new rtms.Client();
  client.onAudioData((data, size, timestamp, { userName }) => console.log(`audio of ${userName}`));
  client.join(payload);
}, '/zoom/webhook');
app.post('/zoom/webhook', async (context) => {
  await handler(context.env.incoming, context.env.outgoing);
  return RESPONSE_ALREADY_SENT;
});
serve({ fetch: app.fetch, port: 0 }, ({ port }) => console.log(`listening on port ${port}`));
