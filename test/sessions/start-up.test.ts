import { mkdtemp, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type LocalAws, startLocalAws } from '../../local/aws/local-aws.ts';
import { type Child, startChild, stopChild } from '../../local/child.ts';
import { closeServer, listen } from '../../simulator/sockets/listen.ts';
import { zoomSecret } from '../support/front-door.ts';

let aws: LocalAws;
/** The ECS agent: how it answers is up to each test. */
let agent: Server;
let agentUrl: string;
let agentStatus: () => number;
let children: Child[];

beforeAll(async () => {
  aws = await startLocalAws({ zoomSecret: zoomSecret() });
  agent = createServer((request, response) => {
    const TaskARN = `arn:aws:ecs:us-east-1:000000000000:task/rtms${request.url?.replace('/task', '')}`;
    response.writeHead(agentStatus());
    response.end(JSON.stringify({ Cluster: 'rtms', TaskARN, Family: 'runner', Revision: '1' }));
  });
  agentUrl = `http://127.0.0.1:${await listen(agent, 0)}`;
});
afterAll(async () => {
  await closeServer(agent);
  await aws.close();
});
afterEach(async () => {
  aws.kinesis.faults.clear();
  for (const proxy of Object.values(aws.faults)) proxy.mode = 'pass';
  await Promise.all(children.map((child) => stopChild(child, 5_000)));
});

interface Started {
  readonly child: Child;
  readonly lines: string[];
  readonly ready: Promise<Record<string, unknown>>;
  /** Resolves when it has tried a call again. */
  readonly retried: (what: string) => Promise<unknown>;
}

function startRunner(name: string, environment: Record<string, string> = {}): Started {
  const lines: string[] = [];
  const ready = Promise.withResolvers<Record<string, unknown>>();
  ready.promise.catch(() => {});
  const all = {
    ...aws.env(),
    ECS_CONTAINER_METADATA_URI_V4: `${agentUrl}/${name}`,
    ALLOWED_HOSTS: '127.0.0.1',
    RTMS_MEDIA: '{}',
    CAPACITY: '10',
    HEALTH_PORT: '0',
    SPOOL_DIR: `${tmpdir()}/rtms-start-up-${process.pid}-${name}`,
    SPOOL_MAX_BYTES: '0',
    LOG_LEVEL: 'info',
    ...environment,
  };
  const tries = new Map<string, PromiseWithResolvers<unknown>>();
  const tried = (what: string) => {
    const entry = tries.get(what) ?? Promise.withResolvers<unknown>();
    tries.set(what, entry);
    return entry;
  };
  const child = startChild('runner/main.ts', [], all, (line, json) => {
    lines.push(line);
    if (json?.['event'] === 'start_up_retry') tried(String(json['what'])).resolve(json);
    if (json?.['event'] === 'runner_ready') ready.resolve(json);
  });
  void child.exited.then(() => ready.reject(new Error(lines.join('\n'))));
  children.push(child);
  return { child, lines, ready: ready.promise, retried: (what) => tried(what).promise };
}

test('a fleet that starts while AWS throttles and is not there yet comes up', async () => {
  children = [];
  let asked = 0;
  agentStatus = () => (++asked <= 4 ? 503 : 200);
  aws.kinesis.faults.set({
    rules: [{ operation: 'DescribeStreamSummary', errors: { LimitExceededException: 1 } }],
  });
  aws.faults.secretsManager.mode = 'refuse';
  aws.faults.dynamodb.mode = 'refuse';
  const fleet = ['a', 'b', 'c'].map((name) => startRunner(name));
  const retried = (what: string) => Promise.all(fleet.map((runner) => runner.retried(what)));
  await retried('media stream');
  aws.kinesis.faults.clear();
  await retried('Zoom secret');
  aws.faults.secretsManager.mode = 'pass';
  await retried('first heartbeat');
  aws.faults.dynamodb.mode = 'pass';
  const ready = await Promise.all(fleet.map((runner) => runner.ready));
  expect(ready.map(({ taskId }) => taskId)).toEqual(['a', 'b', 'c']);
  expect(asked).toBeGreaterThan(4);
}, 60_000);

test('a runner whose rights are missing ends at once and says so', async () => {
  children = [];
  agentStatus = () => 200;
  aws.kinesis.faults.set({
    rules: [{ operation: 'DescribeStreamSummary', errors: { AccessDeniedException: 1 } }],
  });
  const { child, lines } = startRunner('d');
  expect((await child.exited).code).toBe(1);
  expect(lines.join('\n')).toMatch(/runner cannot start: \[kinesis\/access-denied\].*AccessDenied/);
  expect(lines.join('\n')).not.toContain('start_up_retry');
}, 90_000);

test('a runner that the ECS agent does not know ends and does not take itself for one without a service', async () => {
  children = [];
  agentStatus = () => 404;
  const { child, lines } = startRunner('e');
  expect((await child.exited).code).toBe(1);
  expect(lines.join('\n')).toContain('the ECS task metadata cannot be read');
}, 90_000);

test('two runners outside ECS never have one id', async () => {
  children = [];
  const outside = { ECS_CONTAINER_METADATA_URI_V4: '', TASK_ID: '' };
  const ready = await Promise.all(['f', 'g'].map((name) => startRunner(name, outside).ready));
  expect(ready[0]?.['taskId']).toMatch(/^task-[0-9a-f-]{36}$/);
  expect(ready[0]?.['taskId']).not.toBe(ready[1]?.['taskId']);
}, 90_000);

test('a runner whose disk cannot be used serves all the same, and its missing spool is counted', async () => {
  children = [];
  agentStatus = () => 200;
  // A file stands where the directory should be.
  const file = join(await mkdtemp(join(tmpdir(), 'rtms-no-spool-')), 'file');
  await writeFile(file, '');
  const { ready, lines, child } = startRunner('h', { SPOOL_DIR: file });
  await ready;
  // Stopped, it tells the metrics that it has left.
  await stopChild(child, 20_000);
  const records = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  const told = records.filter(({ event }) => event === 'spool_unavailable');
  expect(told).toHaveLength(2);
  const counted = records.reduce(
    (sum, record) =>
      sum + [record.SpoolUnavailable ?? 0].flat().reduce((a: number, b: number) => a + b, 0),
    0,
  );
  expect(counted).toBe(2);
}, 90_000);
