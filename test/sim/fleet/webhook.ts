import type { startWebhookServer } from '../../../local/webhook-server.ts';
import { load } from '../world/loader.ts';
import { Machine } from '../world/machine.ts';
import type { Scheduler } from '../world/scheduler.ts';
import { webhookEnvironment } from './environment.ts';

const PORT = 8_080;
const PATH = '/webhook';
export const WEBHOOK_URL = `http://127.0.0.1:${PORT}${PATH}`;

type ServerModule = { startWebhookServer: typeof startWebhookServer };
type HandlerModule = { handler: Parameters<typeof startWebhookServer>[0]['handler'] };

/**
 * Starts an execution of the webhook function behind the local API Gateway. Unlike Lambda it takes several requests at
 * once.
 */
export async function startWebhook(
  scheduler: Scheduler,
  seed: number,
  life: number,
  onLine: (line: string) => void,
): Promise<Machine> {
  const machine = new Machine(scheduler, {
    name: `webhook-1/${life}`,
    seed,
    environment: webhookEnvironment(),
    onLine,
  });
  const server = load<ServerModule>('local/webhook-server.ts', machine);
  await server.begun;
  const { startWebhookServer: start } = await server.loaded;
  const { begun, loaded } = load<HandlerModule>('functions/zoom-webhook/handler.ts', machine);
  void loaded.then(({ handler }) =>
    machine.after(0, () => void start({ port: PORT, path: PATH, handler })),
  );
  await begun;
  return machine;
}
