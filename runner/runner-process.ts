import { ServiceError } from '../shared/errors.ts';
import { readConfig } from './config.ts';
import { startRunner } from './runner.ts';
import { DRAIN_TIMES, DrainDeadline, type DrainTimes } from './task/drain-deadline.ts';

export interface RunnerTimes extends DrainTimes {
  /** In ECS: how often the service is asked for its primary revision. */
  readonly revisionIntervalMs: number;
}

export const RUNNER_TIMES: RunnerTimes = { ...DRAIN_TIMES, revisionIntervalMs: 60_000 };

/** Is the runner of this process: starts it, drains it on SIGTERM or SIGINT, and ends the process. */
export async function runProcess(
  environment: Readonly<Record<string, string | undefined>>,
  times: RunnerTimes,
): Promise<void> {
  try {
    const { revisionIntervalMs } = times;
    const deadline = new DrainDeadline(times);
    const runner = await startRunner(readConfig(environment), { revisionIntervalMs, deadline });
    const stop = () => {
      if (!deadline.signalled(() => process.exit(1))) return;
      runner.stop().then(
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
