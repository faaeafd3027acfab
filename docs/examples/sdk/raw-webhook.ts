/** A callback with three parameters answers by itself; the signature is checked before. */
import rtms from '../../../sdk/client/index.ts';

rtms.onWebhookEvent(({ event, payload }, request, response) => {
  response.setHeader('x-request-id', String(request.headers['x-zm-request-id'] ?? ''));
  response.writeHead(204).end();
  console.log('answered', event);
  if (!event.endsWith('rtms_started')) return;
  const client = new rtms.Client();
  client.onTranscriptData((text) => console.log('transcript', `${text}`));
  client.join(payload);
});
await rtms.run();
