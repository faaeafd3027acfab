/** Two Zoom apps in one process: explicit arguments win over the environment. */
import rtms, { type WebhookEvent } from '../../../sdk/client/index.ts';

function serveApp(name: string, app: { client: string; secret: string; webhookSecret: string }) {
  const { webhookSecret, ...credentials } = app;
  const callback = ({ event, payload }: WebhookEvent) => {
    if (!event.endsWith('rtms_started')) return;
    const client = new rtms.Client();
    client.onTranscriptData((text) => console.log(name, `${text}`));
    client.join({ ...payload, ...credentials });
  };
  rtms.onWebhookEvent(callback, { port: 0, path: `/${name}`, webhookSecret });
}

const { APP_CLIENT = '', APP_SECRET = '', APP_WEBHOOK_SECRET = '' } = process.env;
serveApp('sales', { client: APP_CLIENT, secret: APP_SECRET, webhookSecret: APP_WEBHOOK_SECRET });
serveApp('support', { client: 'other', secret: 'other', webhookSecret: 'other' });
await rtms.run();
