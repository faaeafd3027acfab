import { RUNNER_TIMES, runProcess } from './runner-process.ts';

await runProcess(process.env, RUNNER_TIMES);
