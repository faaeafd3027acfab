import { RUNNER_TIMES, runProcess } from '../../runner/runner-process.ts';

/** A runner process with other times than those of `runner/main.ts`: those in `RUNNER_TIMES`, JSON. */
const times = JSON.parse(process.env['RUNNER_TIMES'] ?? '{}') as object;
await runProcess(process.env, { ...RUNNER_TIMES, ...times });
