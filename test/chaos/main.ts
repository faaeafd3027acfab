import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { newSeed } from '../../simulator/scenario/forms.ts';

/**
 * `npm run test:chaos [-- <run> [options of that run]]`: the long failure runs, one after another, each a
 * process of its own that prints its seed and its report. Without a name all of them run. `npm test` has a
 * short seeded form of each.
 */
const RUNS = {
  runners:
    'kills, freezes, drains, stalls and duplicates over 30 meetings and 3 runners; with --task-start-seconds over the catcher too',
  groups:
    'consumer groups: kills, freezes, drains, splits, merges and a table that hangs or is throttled, 3 workers over 12 shards',
  'runner-figures': 'takeover and hand-over of 60 sessions, in seconds and frames',
  freeze: 'runners frozen for 12 and for 70 s, at the clocks of Zoom',
  'kinesis-outage': 'five minutes without Kinesis, entry failures, dropped answers',
  'restart-storm':
    '200 meetings of which Zoom ends 30 % for technical reasons, with and without API credentials',
  'webhook-storm': '10,000 events while DynamoDB and SQS come and go',
  'sdk-sessions': '500 SDK sessions in a row and 200 at once',
} as const;

const [name, ...options] = process.argv.slice(2);
if (name !== undefined && !(name in RUNS)) {
  const known = Object.entries(RUNS).map(([run, what]) => `  ${run.padEnd(16)}${what}\n`);
  const isAsked = name === '--help';
  const said = `npm run test:chaos [-- <run> [options of that run, --help for them]]\n${known.join('')}`;
  (isAsked ? process.stdout : process.stderr).write(isAsked ? said : `no run "${name}"\n${said}`);
  process.exit(isAsked ? 0 : 2);
}
// Every run meets a Zoom that says the same in other forms; the seed brings one back. `runners` draws by its own seed.
const forms = process.env['SIMULATOR_FORMS'] || newSeed();
process.stdout.write(`# SIMULATOR_FORMS=${forms}\n`);
const failed: string[] = [];
for (const [run, what] of Object.entries(RUNS)) {
  if (name !== undefined && name !== run) continue;
  process.stdout.write(`\n# ${run}: ${what}\n`);
  const child = spawn(process.execPath, [`test/chaos/${run}.ts`, ...options], {
    stdio: 'inherit',
    env: { ...process.env, SIMULATOR_FORMS: forms },
  });
  const [code] = await once(child, 'close');
  if (code !== 0) failed.push(run);
}
if (failed.length > 0) process.stderr.write(`\nfailed: ${failed.join(', ')}\n`);
process.exitCode = failed.length > 0 ? 1 : 0;
