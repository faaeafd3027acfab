import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import type { RunnerStormReport } from '../../chaos/runners.ts';
import { runCommand } from '../command.ts';
import { type AwsProcess, awsPrograms, startMicroburst, startMinistack } from '../emulators.ts';
import type { Peer } from '../peer.ts';
import { RUNNER_FAULTS } from './faults.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** Fewer faults than this and the run has proven nothing. */
const LEAST_FAULTS = 50;
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
  async run(work) {
    const ministack = await startMinistack();
    const proxy = await startMicroburst(ministack);
    await control(proxy, 'rules', RUNNER_FAULTS);
    const { port } = proxy;
    const servers = { dynamodb: port, sqs: port, kinesis: port, secretsManager: port };
    const seed = String(Date.now() % 1_000_000);
    work.say(`seed ${seed}`);
    const args = ['test/chaos/runners.ts', '--seed', seed, ...STORM];
    const { stdout } = await runCommand(process.execPath, args, {
      cwd: ROOT,
      env: { LOCAL_AWS_SERVERS: JSON.stringify(servers) },
      codes: [0, 1],
    });
    const report = JSON.parse(stdout) as RunnerStormReport;
    const fired = await firedFaults(proxy);
    const told = `seed ${seed}: ${stdout}`;
    assert.deepEqual(report.problems, [], told);
    assert.deepEqual(report.unended, [], told);
    assert.ok(fired.length >= LEAST_FAULTS, `only ${fired.length} faults; ${told}`);
    return [
      {
        software: proxy.software,
        version: proxy.version,
        what: `the chaos runs' invariants under its faults, between three runners and ${ministack.software} ${ministack.version}, beside kills, freezes and stalls: every frame written or explained, every meeting ended`,
        figures: `${fired.length} faults (${summarize(fired)}), ${report.framesRead} frames read, ${report.events} events, ${report.epochs} epochs, 0 unexplained`,
      },
    ];
  },
};

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
