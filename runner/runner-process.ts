import { ServiceError } from '../shared/errors.ts';
import { readRunnerConfig } from './config.ts';
import { type Runner, startRunner } from './runner.ts';
import { DRAIN_TIMES, DrainDeadline, type DrainTimes } from './task/drain-deadline.ts';

export interface RunnerTimes extends DrainTimes {
  /** In ECS: how often the service is asked for its newest revision. */
  readonly revisionIntervalMs: number;
}

export const RUNNER_TIMES: RunnerTimes = { ...DRAIN_TIMES, revisionIntervalMs: 60_000 };

/** Where the signals come from, and what ends the process. */
export interface ProcessHost {
  on(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
  exit(code: number): void;
}

/** Runs one runner in this process. Drains it on SIGTERM or SIGINT, then exits. */
export async function runProcess(
  environment: Readonly<Record<string, string | undefined>>,
  times: RunnerTimes,
  host: ProcessHost = process,
): Promise<void> {
  try {
    const deadline = new DrainDeadline(times);
    const config = readRunnerConfig(environment);
    const started: Promise<Runner> = startRunner(config, {
      revisionIntervalMs: times.revisionIntervalMs,
      deadline,
      requestStop: () => drain(),
    });
    const drain = drainOnSignal(() => started, deadline, host);
    await started;
    host.on('SIGTERM', drain);
    host.on('SIGINT', drain);
  } catch (error) {
    const what = error instanceof ServiceError ? error.message : String(error);
    process.stderr.write(`runner cannot start: ${what}${causeOf(error)}\n`);
    host.exit(1);
  }
}

/**
 * @returns what to do on a signal: the first one drains the runner, the second one moves the flush deadline to now. The
 *   process exits with 0 when everything was handed over, and with 1 when the drain failed or took too long.
 */
export function drainOnSignal(
  runner: () => Promise<Pick<Runner, 'stop'>>,
  deadline: Pick<DrainDeadline, 'signalled'>,
  host: Pick<ProcessHost, 'exit'>,
): () => void {
  return () => {
    if (!deadline.signalled(() => host.exit(1))) return;
    runner()
      .then((started) => started.stop())
      .then(
        () => host.exit(0),
        () => host.exit(1),
      );
  };
}

/** Names only: a foreign message may quote the input that it could not read. */
function causeOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  if (!(cause instanceof Error)) return '';
  const { name, code } = cause as NodeJS.ErrnoException;
  return ` (${code === undefined ? name : `${name} ${code}`})${causeOf(cause)}`;
}
