import { ServiceError } from '../shared/errors.ts';
import { readConfig } from './config.ts';
import { startRunner } from './runner.ts';

export interface RunnerTimes {
  /** From the first signal until what is left is declared instead of waited for. */
  readonly patienceMs: number;
  /** From the first signal until the process ends, whatever is left. */
  readonly exitAfterMs: number;
  /** The same from a second signal: it leaves time for the declaration alone. */
  readonly hurryMs: number;
  /** In ECS: how often the service is asked for its primary revision. */
  readonly revisionIntervalMs: number;
}

/** ECS kills 120 s after its SIGTERM: by then all sessions are away, or the rest is declared. */
export const RUNNER_TIMES: RunnerTimes = {
  patienceMs: 95_000,
  exitAfterMs: 113_000,
  hurryMs: 12_000,
  revisionIntervalMs: 60_000,
};

/** Is the runner of this process: starts it, drains it on SIGTERM or SIGINT, and ends the process. */
export async function runProcess(
  environment: Readonly<Record<string, string | undefined>>,
  times: RunnerTimes,
): Promise<void> {
  try {
    const runner = await startRunner(readConfig(environment), times);
    const patience = new AbortController();
    let isStopping = false;
    const stop = () => {
      if (isStopping) {
        patience.abort();
        setTimeout(() => process.exit(1), times.hurryMs).unref();
        return;
      }
      isStopping = true;
      setTimeout(() => patience.abort(), times.patienceMs).unref();
      setTimeout(() => process.exit(1), times.exitAfterMs).unref();
      runner.stop(patience.signal).then(
        () => process.exit(0),
        () => process.exit(1),
      );
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
  } catch (error) {
    const what = error instanceof ServiceError ? error.message : String(error);
    process.stderr.write(`runner cannot start: ${what}${causeOf(error)}\n`);
    process.exit(1);
  }
}

/** Names only: a foreign message may quote what it choked on. */
function causeOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  if (!(cause instanceof Error)) return '';
  const { name, code } = cause as NodeJS.ErrnoException;
  return ` (${code === undefined ? name : `${name} ${code}`})${causeOf(cause)}`;
}
