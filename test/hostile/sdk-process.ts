import { onWebhookEvent } from '../../sdk/client/index.ts';

/** The SDK's webhook server as a process of its own: `node sdk-process.ts <webhook secret>`. Says its port. */
const [webhookSecret = ''] = process.argv.slice(2);
const server = onWebhookEvent(() => {}, { port: 0, path: '/hook', webhookSecret });
const { port } = await server.ready;
process.stdout.write(`${JSON.stringify({ event: 'sdk_ready', port })}\n`);
