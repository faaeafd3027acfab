/** The webhook on a server that has other things to do, and a path of its own. */
import { createServer } from 'node:http';
import rtms from '../../../sdk/client/index.ts';

const webhook = rtms.createWebhookHandler(({ event, payload }) => {
  if (!event.endsWith('rtms_started')) return;
  const client = new rtms.Client();
  client.onTranscriptData((text) => console.log('transcript', `${text}`));
  client.join(payload);
}, '/zoom/webhook');

const server = createServer((request, response) => {
  if (request.url === '/health') response.end('ok');
  else void webhook(request, response);
});
server.listen(Number(process.env['PORT'] ?? 8080), () => {
  console.log('listening', JSON.stringify(server.address()));
});
await rtms.run();
server.close();
