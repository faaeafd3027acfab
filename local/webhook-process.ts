import { ServiceError } from '../shared/errors.ts';
import { startWebhookServer } from './webhook-server.ts';

/**
 * Runs the webhook function in a process of its own: `node local/webhook-process.ts <port> <path>`, with `WebhookEnv`
 * and the local endpoints in the environment. Its first JSON line on stdout is `{"event": "webhook_ready", "url"}`.
 * Log lines and metrics follow.
 */
const [port = '0', path = '/webhook'] = process.argv.slice(2);

try {
  const { handler } = await import('../functions/zoom-webhook/handler.ts');
  const server = await startWebhookServer({ port: Number(port), path, handler });
  process.once('SIGTERM', () => void server.close());
  process.stdout.write(`${JSON.stringify({ event: 'webhook_ready', url: server.url })}\n`);
} catch (error) {
  if (!(error instanceof ServiceError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
