/** The runner as `runner.ts` has it, but its PutRecords calls are made by the SDK's client. */
import type { StartBuild } from './build.ts';
import { startRunnerBuild } from './runner.ts';

export const start: StartBuild = (endpoint, tally) => startRunnerBuild(endpoint, tally, 'sdk');
