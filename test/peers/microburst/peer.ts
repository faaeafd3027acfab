import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import type { RunnerStormReport } from '../../chaos/runners.ts';
import type { StormReport } from '../../chaos/webhook-storm.ts';
import { runCommand } from '../command.ts';
import { type AwsProcess, awsPrograms, startMicroburst, startMinistack } from '../emulators.ts';
import type { Peer } from '../peer.ts';
import { RUNNER_FAULTS, STORM_FAULTS } from './faults.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** Fewer faults than this and the run has proven nothing. */
const LEAST_FAULTS = 50;
const EVENTS = ['--events', '200'];
/** One plan of kills and webhooks for every run: what CI tells can be played again. When microburst fires stays its own. */
const SEED = '23';
const STORM = ['--meetings', '8', '--runners', '3', '--seconds', '24'];

interface FiredFault {
  readonly service: string;
  readonly operation: string;
  readonly action: string;
}

export const microburstPeer: Peer = {
  name: 'microburst',
  needs: ['python'],
  install: awsPrograms,
  async run() {
    const ministack = await startMinistack();
    const proxy = await startMicroburst(ministack);
    const { software, version } = proxy;
    const between = `${ministack.software} ${ministack.version}`;

    const runners = await storm<RunnerStormReport>(proxy, 'runners', RUNNER_FAULTS, STORM);
    const { report } = runners;
    assert.deepEqual(report.problems, [], runners.told);
    assert.deepEqual(report.unended, [], runners.told);

    const webhooks = await storm<StormReport>(proxy, 'webhook-storm', STORM_FAULTS, EVENTS);
    const { wrong, unclaimed, claimedTwice, undelivered, answers, outages } = webhooks.report;
    assert.deepEqual([wrong, unclaimed, claimedTwice, undelivered], [[], [], [], 0], webhooks.told);
    return [
      {
        software,
        version,
        what: `the chaos runs' invariants under its faults, between three runners and ${between}, beside kills, freezes and stalls: every frame written or explained, every meeting ended`,
        figures: `${runners.faults}, ${report.framesRead} frames read, ${report.events} events, ${report.epochs} epochs, 0 unexplained`,
      },
      {
        software,
        version,
        what: `the webhook storm under its faults and outages of its own, between the webhook function and ${between}: every row is what its events say, every wanted stream is claimed once`,
        figures: `${webhooks.faults}, ${webhooks.report.events} events for ${webhooks.report.streams} streams, ${outages} outages, answers ${JSON.stringify(answers)}`,
      },
    ];
  },
};

/** Runs one of the chaos programs, with microburst between it and its AWS. @returns its report, and what was fired at it */
async function storm<Report>(
  proxy: AwsProcess,
  name: string,
  rules: readonly object[],
  options: readonly string[],
): Promise<{ report: Report; faults: string; told: string }> {
  await control(proxy, 'rules', rules);
  const before = (await firedFaults(proxy)).length;
  const { port } = proxy;
  const servers = { dynamodb: port, sqs: port, kinesis: port, secretsManager: port };
  const args = [`test/chaos/${name}.ts`, '--seed', SEED, ...options];
  const { stdout, stderr } = await runCommand(process.execPath, args, {
    cwd: ROOT,
    env: { LOCAL_AWS_SERVERS: JSON.stringify(servers) },
    // Of the storm, 1 may also say that an answer took more than 3 s, which is no matter here.
    codes: [0, 1],
  });
  const told = `seed ${SEED}: ${stdout || stderr.slice(-2_000)}`;
  assert.ok(stdout.startsWith('{'), told);
  const fired = (await firedFaults(proxy)).slice(before);
  assert.ok(fired.length >= LEAST_FAULTS, `only ${fired.length} faults; ${told}`);
  return {
    report: JSON.parse(stdout),
    faults: `${fired.length} faults (${summarize(fired)})`,
    told,
  };
}

async function control(proxy: AwsProcess, path: string, body: unknown): Promise<void> {
  const answer = await fetch(`${proxy.url}/_microburst/${path}`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  assert.ok(answer.ok, `microburst ${path}: ${answer.status} ${await answer.text()}`);
}

async function firedFaults(proxy: AwsProcess): Promise<readonly FiredFault[]> {
  const answer = await fetch(`${proxy.url}/_microburst/fired?limit=100000`);
  return (await answer.json()) as readonly FiredFault[];
}

/** For example `dynamodb 50, kinesis 140, sqs 12`. */
function summarize(fired: readonly FiredFault[]): string {
  const byService = Map.groupBy(fired, ({ service }) => service);
  return [...byService]
    .map(([service, all]) => `${service} ${all.length}`)
    .sort()
    .join(', ');
}
