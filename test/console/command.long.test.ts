import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  DescribeStreamSummaryCommand,
  RegisterStreamConsumerCommand,
} from '@aws-sdk/client-kinesis';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { followConsole, started } from '../support/console-world.ts';
import { type DenyingAws, startDenyingAws } from '../support/denying-aws.ts';
import { connect } from '../support/kinesis-client.ts';
import { type MeetingRecords, startMeetingRecords } from '../support/meeting-records.ts';

/** `rtms console` as a real process: enhanced fan-out, missing rights, no credentials, an empty stream, downloads. */

const CONSUMER = 'my-console';
let records: MeetingRecords;
let aws: DenyingAws;
let folder: string;
const running: ChildProcess[] = [];

beforeAll(async () => {
  records = await startMeetingRecords();
  const { kinesis = '', dynamodb = '' } = records.deployment.endpoints ?? {};
  aws = await startDenyingAws({ kinesis, dynamodb });
  folder = await mkdtemp(join(tmpdir(), 'rtms-console-'));
});
afterEach(async () => {
  aws.denied.clear();
  for (const child of running.splice(0)) {
    child.kill('SIGTERM');
    if (child.exitCode === null) await once(child, 'exit');
  }
});
afterAll(async () => {
  await aws?.[Symbol.asyncDispose]();
  await records?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

interface RunningConsole {
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Starts the command, and waits for its address. @param endpoints absent: those of AWS itself */
async function startConsole(
  endpoints: object | undefined,
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
): Promise<RunningConsole> {
  const { region, table, mediaStream, eventsStream } = records.deployment;
  const names = { region, table, streams: { media: mediaStream, events: eventsStream }, endpoints };
  const file = join(folder, 'rtms.json');
  await writeFile(file, JSON.stringify(names));
  const command = ['cli/main.ts', 'console', '--config', file, '--json', ...args];
  const env = { PATH: process.env['PATH'], HOME: folder, ...environment };
  const child = spawn(process.execPath, command, { env, stdio: ['ignore', 'pipe', 'ignore'] });
  running.push(child);
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const [origin = '', token = ''] = JSON.parse(line).consoleUrl.split('/#token=');
  return { origin, headers: { authorization: `Bearer ${token}` } };
}

// biome-ignore lint/suspicious/noExplicitAny: a test asserts on it
type Overview = any;

/** Follows the console until its overview is as it should be. */
async function overviewWhere(
  console: RunningConsole,
  isRight: (overview: Overview) => boolean,
): Promise<Overview> {
  const stop = new AbortController();
  try {
    for await (const { name, data } of followConsole(console, '', stop.signal)) {
      if (name === 'overview' && isRight(data)) return data;
    }
  } finally {
    stop.abort();
  }
}

async function post(console: RunningConsole, path: string, body: object) {
  const { origin, headers } = console;
  const response = await fetch(origin + path, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
  const { path: download, error } = (await response.json()) as { path?: string; error?: string };
  if (download === undefined) return { error };
  const file = await fetch(origin + download, { headers });
  return {
    name: file.headers.get('content-disposition'),
    bytes: Buffer.from(await file.arrayBuffer()),
    // A file is given once.
    again: (await fetch(origin + download, { headers })).status,
  };
}

test('a stream without records, and no meeting: everything is there, and empty', async () => {
  const console = await startConsole(records.deployment.endpoints);
  const overview = await overviewWhere(console, ({ streams }) =>
    streams.every(({ reading, shards }: Overview) => reading === 'poll' && shards === 1),
  );
  expect(overview).toMatchObject({
    meetings: [],
    owners: [],
    outcomes: { wanted: 0, whole: 0, inPart: 0, missed: 0 },
    problems: [],
  });
  const nothing = await post(console, '/api/downloads', { kind: 'verify', rtmsStreamId: 'none' });
  expect(nothing.error).toContain('nothing about none');
});

test('--consumer-name: records are pushed to the registered consumer, and no read of a shard is taken', async () => {
  const { kinesis = '' } = records.deployment.endpoints ?? {};
  const client = connect(kinesis);
  for (const StreamName of [records.deployment.mediaStream, records.deployment.eventsStream]) {
    const { StreamDescriptionSummary } = await client.send(
      new DescribeStreamSummaryCommand({ StreamName }),
    );
    const StreamARN = StreamDescriptionSummary?.StreamARN;
    await client.send(new RegisterStreamConsumerCommand({ StreamARN, ConsumerName: CONSUMER }));
  }
  client.destroy();
  const before = records.kinesis.stats().calls['GetRecords'] ?? 0;
  const console = await startConsole(records.deployment.endpoints, ['--consumer-name', CONSUMER]);
  await records.event('pushed', 'session_started', started(Date.now(), 'Pushed'), Date.now());
  const overview = await overviewWhere(
    console,
    ({ meetings, streams }) =>
      meetings.some(({ name }: Overview) => name === 'Pushed') &&
      streams.every(({ reading }: Overview) => reading === 'push'),
  );
  expect(overview.problems).toEqual([]);
  expect(records.kinesis.stats().calls['GetRecords'] ?? 0).toBe(before);
});

test('--consumer-name of nobody: the streams are polled, and the page says how to register it', async () => {
  const console = await startConsole(records.deployment.endpoints, ['--consumer-name', 'nobody']);
  const overview = await overviewWhere(
    console,
    ({ streams, problems }) =>
      problems.length === 2 && streams.every(({ reading }: Overview) => reading === 'poll'),
  );
  for (const problem of overview.problems) {
    expect(problem).toContain('no consumer nobody is registered, so it is polled');
  }
});

test.each([
  ['dynamodb:Scan', 'session table'],
  ['kinesis:ListShards', 'stream'],
  ['kinesis:GetShardIterator', 'stream'],
  ['kinesis:GetRecords', 'stream'],
])('without %s the page names the action, and shows the rest', async (action, what) => {
  aws.denied.add(action);
  const console = await startConsole(aws.endpoints);
  const overview = await overviewWhere(console, ({ problems }) =>
    problems.some((problem: string) => problem.includes(action)),
  );
  expect(overview.problems.join()).toMatch(
    new RegExp(`^${what}.*: access denied; these credentials lack ${action}`),
  );
  aws.denied.clear();
  // Reading is tried again by itself.
  const healed = await overviewWhere(console, ({ problems }) => problems.length === 0);
  expect(healed.problems).toEqual([]);
});

test('--act without the right to write: the button says which action is missing', async () => {
  await records.row({ rtmsStreamId: 'served', owner: 'task-1' });
  aws.denied.add('dynamodb:UpdateItem');
  const console = await startConsole(aws.endpoints, ['--act']);
  const refused = await post(console, '/api/act', { action: 'handover', target: 'served' });
  expect(refused.error).toContain('these credentials lack dynamodb:UpdateItem');
});

test('without credentials the page says so, and how to get some', async () => {
  const console = await startConsole(undefined, [], { AWS_EC2_METADATA_DISABLED: 'true' });
  const overview = await overviewWhere(console, ({ problems }) => problems.length === 3);
  for (const problem of overview.problems) {
    expect(problem).toMatch(/: no AWS credentials or no Region; run `aws sso login`/);
  }
});

test.each(['over', '--help', '../../etc'])(
  'explain, verify and export of the meeting %s come as files, once',
  async (id) => {
    const nowMs = Date.now();
    await records.row({ rtmsStreamId: id, endedAtMs: nowMs, stopEventTsMs: nowMs });
    await records.event(id, 'session_started', started(nowMs - 60_000, 'Over'), nowMs - 60_000);
    await records.said(id, 'good bye', 'Ada', nowMs - 30_000);
    await records.event(id, 'session_ended', { restartable: false, ledger: [] }, nowMs);
    const console = await startConsole(records.deployment.endpoints);
    const get = (kind: string) => post(console, '/api/downloads', { kind, rtmsStreamId: id });
    const explained = await get('explain');
    expect(explained.bytes?.toString(), explained.error).toContain('What was recorded');
    const verified = await get('verify');
    expect(verified.bytes?.toString(), verified.error).toMatch(/complete|contradictory/);
    const exported = await get('export');
    expect(exported.bytes?.subarray(0, 2).toString(), exported.error).toBe('PK');
    expect(exported.bytes?.includes('transcript.vtt')).toBe(true);
    for (const { name, again } of [explained, verified, exported]) {
      expect(name).toMatch(/^attachment; filename="(explain|verify|export)-[\w.-]+"$/);
      expect(again).toBe(404);
    }
    const wrong = await post(console, '/api/downloads', { kind: 'shell', rtmsStreamId: id });
    expect(wrong.error).toContain('a download needs a kind and a stream');
  },
  120_000,
);
