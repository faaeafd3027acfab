import { ServiceError } from '../../shared/errors.ts';
import type { Executor } from './callbacks/executor.ts';
import { noUnfinishedClients, unfinishedClients } from './live-clients.ts';
import { setDefaultExecutor } from './settings/environment.ts';
import { closeWebhookServers } from './webhook/webhook-server.ts';

/** Options of `run`. */
export interface RunOptions {
  /** Runs callbacks registered by name, for every client without an executor of its own. @default none */
  executor?: Executor;
  /** Return as soon as no client is left, at once when there is none. @default false: runs until `stop` */
  stopOnEmpty?: boolean;
}

/** Twelve days. The timer does nothing: an active timer keeps Node from exiting. */
const KEEP_ALIVE_MS = 2 ** 30;

let stopping: PromiseWithResolvers<void> | undefined;

/**
 * Keeps the process running until `stop`, Ctrl-C or SIGTERM. Then every client leaves, and `run` returns when their
 * callbacks have finished. A second Ctrl-C ends the process at once.
 *
 * @throws ServiceError `rtms/invalid-state` when `run` is running already
 */
export async function run(options: RunOptions = {}): Promise<void> {
  if (stopping !== undefined)
    throw new ServiceError('rtms/invalid-state', 'run was called before and has not ended');
  const stopped = Promise.withResolvers<void>();
  stopping = stopped;
  setDefaultExecutor(options.executor);
  const onSignal = () => {
    for (const signal of SIGNALS) process.removeListener(signal, onSignal);
    stopped.resolve();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  const keepAlive = setInterval(() => {}, KEEP_ALIVE_MS);
  try {
    await (options.stopOnEmpty
      ? Promise.race([stopped.promise, noUnfinishedClients()])
      : stopped.promise);
    await Promise.all([
      closeWebhookServers(),
      ...unfinishedClients().map((client) => client.finish()),
    ]);
  } finally {
    clearInterval(keepAlive);
    for (const signal of SIGNALS) process.removeListener(signal, onSignal);
    setDefaultExecutor(undefined);
    stopping = undefined;
  }
}

/** Ends `run`; does nothing when it is not running. */
export function stop(): void {
  stopping?.resolve();
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
