import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleOptions } from '../../infra/bundling/bundle-options.ts';
import { type LocalAws, startLocalAws } from '../../local/aws/local-aws.ts';
import { zoomSecret } from '../support/front-door.ts';

const MIB = 1024 * 1024;
const LIMIT_MIB = 512;

let aws: LocalAws;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rtms-bundle-'));
  aws = await startLocalAws({ zoomSecret: zoomSecret() });
  await build({ ...bundleOptions('runner/main.ts', 'fargate'), outfile: bundle() });
}, 90_000);
afterAll(async () => {
  await aws.close();
  await rm(directory, { recursive: true });
});

const bundle = () => join(directory, 'index.mjs');

/** A control group with a memory limit, of either version; undefined where this user may not make one. */
function limitedGroup(): { procs: string; remove: () => void } | undefined {
  const [v1, v2] = ['/sys/fs/cgroup/memory', '/sys/fs/cgroup'];
  const [root, file] = existsSync(v1) ? [v1, 'memory.limit_in_bytes'] : [v2, 'memory.max'];
  const group = join(root, `rtms-test-${process.pid}`);
  try {
    mkdirSync(group);
  } catch {
    return undefined;
  }
  const remove = () => rmdirSync(group);
  try {
    writeFileSync(join(group, file), String(LIMIT_MIB * MIB));
    return { procs: join(group, 'cgroup.procs'), remove };
  } catch {
    remove();
    return undefined;
  }
}

/** Runs the bundle until it has said this. @returns the whole line */
async function runUntil(
  expected: Record<string, string>,
  environment: Record<string, string>,
  procs?: string,
): Promise<Record<string, unknown>> {
  const enter = procs === undefined ? '' : `echo $$ > ${procs} && `;
  const child = spawn('sh', ['-c', `${enter}exec "$0" "$1"`, process.execPath, bundle()], {
    env: {
      ...aws.env(),
      ALLOWED_HOSTS: '127.0.0.1',
      CAPACITY: '10',
      HEALTH_PORT: '0',
      SPOOL_DIR: join(directory, 'spool'),
      SPOOL_MAX_BYTES: '0',
      LOG_LEVEL: 'info',
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const said = JSON.parse(line) as Record<string, unknown>;
      if (Object.entries(expected).every(([name, value]) => said[name] === value)) return said;
    }
    throw new Error(`the bundle ended before ${JSON.stringify(expected)}`);
  } finally {
    child.kill('SIGKILL');
    if (child.exitCode === null) await new Promise((resolve) => child.once('exit', resolve));
  }
}

test('the bundle with MEMORY_MIB that it exceeds refuses sessions, and says so with numbers', async () => {
  const said = await runUntil({ event: 'sessions_refused', why: 'memory' }, { MEMORY_MIB: '64' });
  expect(said).toMatchObject({ slotsUsed: 0, slotsTotal: 10 });
  expect(said['memoryPercent']).toBeGreaterThan(85);
}, 90_000);

test('the bundle in a control group knows its limit without being told', async ({ skip }) => {
  const group = limitedGroup();
  if (group === undefined) return skip('this user may make no control group with a memory limit');
  try {
    const said = await runUntil({ event: 'runner_ready' }, {}, group.procs);
    expect(said['memoryLimitBytes']).toBe(LIMIT_MIB * MIB);
  } finally {
    group.remove();
  }
}, 90_000);
