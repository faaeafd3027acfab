// The webhook in a Fastify server that parses JSON, under a prefix.
import fastify from 'fastify';
import rtms from 'rtms-kinesis';

const app = fastify();
const handler = rtms.createWebhookHandler(({ event, payload }) => {
  if (event !== 'meeting.rtms_started') return;
  const client = new rtms.Client();
  client.onAudioData((data, size, timestamp, { userName }) => console.log(`audio of ${userName}`));
  client.join(payload);
}, '/webhook');
app.register(
  (routes, _options, done) => {
    routes.post('/webhook', handler);
    done();
  },
  { prefix: '/zoom' },
);
await app.listen({ port: 0, host: '127.0.0.1' });
console.log(`listening on port ${app.server.address().port}`);
