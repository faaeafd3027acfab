import { ServiceError } from '../shared/errors.ts';
import { readConfig } from './config.ts';
import { startRunner } from './runner.ts';

/** ECS kills 120 s after its SIGTERM: by then all sessions are away, or the rest is declared. */
const DRAIN_TIMEOUT_MS = 95_000;
const EXIT_AFTER_MS = 113_000;
/** A second signal leaves time for the declaration alone. */
const HURRY_MS = 12_000;

try {
  const runner = await startRunner(readConfig(process.env));
  const patience = new AbortController();
  let isStopping = false;
  const stop = () => {
    if (isStopping) {
      patience.abort();
      setTimeout(() => process.exit(1), HURRY_MS).unref();
      return;
    }
    isStopping = true;
    setTimeout(() => patience.abort(), DRAIN_TIMEOUT_MS).unref();
    setTimeout(() => process.exit(1), EXIT_AFTER_MS).unref();
    runner.stop(patience.signal).then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
} catch (error) {
  const what = error instanceof ServiceError ? error.message : String(error);
  process.stderr.write(`runner cannot start: ${what}\n`);
  process.exit(1);
}
