import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KinesisClient, PutRecordCommand } from '@aws-sdk/client-kinesis';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Stack, startStack } from '../../local/stack.ts';
import { encodeMediaRecord } from '../../shared/record/encode-media-record.ts';
import { encodeEvent } from '../../shared/record/event.ts';
import { encodeSessionJob } from '../../shared/session-job.ts';
import { sessionKey, UNOWNED } from '../../shared/session-table/session-row.ts';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { waitFor } from '../support/wait.ts';

/** Every command of `rtms` as a real process against one local stack, in the order of a working day. */

const CREDENTIALS = {
  clientId: 'cliClient',
  clientSecret: 'cliSecret',
  webhookSecretTokens: ['cliToken'],
};
const MEDIA = '{"audio": {"codec": "L16", "sampleRate": "SR_16K", "channel": "MONO"}}';

const folder = mkdtempSync(join(tmpdir(), 'rtms-cli-'));
const description = join(folder, 'stack.json');
let stack: Stack;
let simulator: Simulator;
let kinesis: KinesisClient;
/** A meeting that the tests cut short; far longer than they need even on a loaded machine. */
let id: string;

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(args: readonly string[], environment: Record<string, string> = {}) {
  const child: ChildProcess = spawn(process.execPath, ['cli/main.ts', ...args], {
    env: { PATH: process.env['PATH'], HOME: folder, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk) => (output.stdout += chunk));
  child.stderr?.on('data', (chunk) => (output.stderr += chunk));
  const ended = new Promise<Ended>((resolve) =>
    child.on('close', (code) => resolve({ ...output, code })),
  );
  return { child, output, ended };
}

/** Against the local stack, with `--json`. */
async function rtms(...args: string[]) {
  const ended = await start([...args, '--json', '--local', description]).ended;
  const lines = ended.stdout.split('\n').filter((line) => line !== '');
  return { ...ended, json: lines.map((line) => JSON.parse(line)) };
}

/** Against the local stack, as people see it. */
function plain(...args: string[]): Promise<Ended> {
  return start([...args, '--local', description]).ended;
}

/** Until `enough` holds of what a lasting command printed, then Ctrl-C. */
async function until(args: readonly string[], enough: (lines: string[]) => boolean) {
  const { child, output, ended } = start([...args, '--local', description]);
  const lines = () => output.stdout.split('\n').slice(0, -1);
  await waitFor(() => expect(enough(lines()), output.stderr).toBe(true), {
    timeout: 15_000,
    interval: 100,
  });
  child.kill('SIGINT');
  return { ...(await ended), lines: lines() };
}

function describeStack(changes: object = {}): string {
  const { region, endpoints, queueUrl, table, streams, secretId } = stack.aws;
  const { webhookUrl } = stack;
  const names = { webhookUrl, region, endpoints, queueUrl, table, streams, secretId };
  return JSON.stringify({ ...names, allowedHosts: '127.0.0.1', ...changes });
}

beforeAll(async () => {
  stack = await startStack({
    credentials: CREDENTIALS,
    allowedHosts: '127.0.0.1',
    media: MEDIA,
    runners: 2,
    port: 0,
    path: '/webhook',
    onLog: () => undefined,
  });
  writeFileSync(description, describeStack());
  kinesis = new KinesisClient({
    region: stack.aws.region,
    credentials: stack.aws.credentials,
    endpoint: stack.aws.endpoints.kinesis,
    requestHandler: new NodeHttpHandler(),
  });
  simulator = await startSimulator({
    webhookUrls: [stack.webhookUrl],
    app: { ...CREDENTIALS, webhookSecretToken: 'cliToken' },
  });
  id = simulator.start(
    syntheticMeeting({ durationMs: 1_200_000, transcriptEveryMs: 500 }),
  ) as string;
  await waitFor(() => expect(simulator.streams()[0]?.isConnected).toBe(true), 10_000);
}, 40_000);

afterAll(async () => {
  await simulator?.close();
  kinesis?.destroy();
  await stack?.close();
  rmSync(folder, { recursive: true, force: true });
}, 20_000);

describe('rtms preflight', () => {
  test('finds a sound deployment sound', { timeout: 30_000 }, async () => {
    const { code, json } = await rtms('preflight');
    expect(json.filter(({ status }) => status !== 'ok')).toEqual([
      expect.objectContaining({ name: 'Zoom app', status: 'hint' }),
    ]);
    expect(json.map(({ name }) => name)).toEqual([
      'credentials',
      'session table',
      'job queue',
      'dead letters',
      'media stream',
      'events stream',
      'Zoom secret',
      'webhook URL',
      'webhook',
      'webhook guard',
      'runners',
      'Zoom app',
    ]);
    expect(code).toBe(0);
  });

  test('says of each fault what to do, and never shows a secret', { timeout: 30_000 }, async () => {
    const app = { ...CREDENTIALS, webhookSecretTokens: ['otherToken', 'cliToken'] };
    await stack.aws.secrets.put('other', JSON.stringify({ apps: { default: app } }));
    const { code, stdout } = await plain('preflight', '--secret-id', 'other', '--table', 'nowhere');
    expect(stdout).toMatch(/^FAIL {2}session table .*nowhere: does not exist/m);
    expect(stdout).toMatch(/^ {6}Deploy the stack again/m);
    expect(stdout).toMatch(/^warn {2}Zoom secret .*two webhook tokens/m);
    expect(stdout).toMatch(/^FAIL {2}webhook .*token 1: answered 401/m);
    expect(stdout).not.toMatch(/cliSecret|cliToken|otherToken/);
    expect(code).toBe(3);
  });

  test('ends with 1 when everything answers and something is wrong', {
    timeout: 30_000,
  }, async () => {
    await stack.aws.secrets.put('placeholder', '{"apps": {"default": {"clientId": "replace-me"}}}');
    const { code, json } = await rtms('preflight', '--secret-id', 'placeholder');
    const failed = json.filter(({ status }) => status === 'failed');
    expect(failed).toEqual([
      expect.objectContaining({ name: 'Zoom secret', fix: expect.stringContaining('put-secret') }),
    ]);
    expect(failed[0].found).toContain('apps.default.clientSecret');
    expect(code).toBe(1);
  });
});

describe('rtms sessions', () => {
  test('shows owner, epoch, age and lag of a live session', async () => {
    const look = await waitFor(async () => {
      const { json, code } = await rtms('sessions');
      expect(code).toBe(0);
      expect(json[0].sessions[0].lagMs).toEqual(expect.any(Number));
      return json[0];
    });
    expect(look.runners).toHaveLength(2);
    expect(look.sessions).toEqual([
      expect.objectContaining({
        rtmsStreamId: id,
        state: 'serving',
        product: 'meeting',
        owner: expect.stringMatching(/^runner-\d$/),
        epoch: 1,
        ageMs: expect.any(Number),
      }),
    ]);
    const { stdout } = await plain('sessions', '--no-lag');
    expect(stdout).toContain(id);
    expect(stdout).toMatch(/^2 runners, \d+ of 2000 slots used$/m);
  });

  test('looks again with --watch until Ctrl-C', async () => {
    const { code, lines } = await until(['sessions', '--watch', '--json'], (l) => l.length >= 2);
    expect(lines.map((line) => JSON.parse(line).sessions[0].rtmsStreamId)).toEqual([id, id]);
    expect(code).toBe(0);
  });
});

describe('a session', () => {
  test.each([
    ['the beginning of its id', () => id.slice(0, 8)],
    ['the UUID of its meeting', () => simulator.streams()[0]?.entityId ?? ''],
    ['the time of the day', () => new Date().toTimeString().slice(0, 5)],
  ])('is found by %s', async (_, words) => {
    const { code, json } = await rtms('sessions', words(), '--no-lag');
    expect(code).toBe(0);
    expect(json[0].sessions).toMatchObject([{ rtmsStreamId: id, product: 'meeting' }]);
  });
});

describe('rtms tail', () => {
  test('prints what is said as it is said', async () => {
    const { code, lines } = await until(['tail', id, '--transcript'], (l) => l.length >= 2);
    for (const line of lines) expect(line).toMatch(/Participant \d: Line \d+\.$/);
    expect(code).toBe(0);
  });

  test('reaches back with --since and ends by itself with --for', async () => {
    const { code, json } = await rtms('tail', '--since', '10m', '--for', '2s');
    expect(json.map(({ name }) => name)).toContain('session_started');
    expect(code).toBe(0);
  });

  test('measures the media of each source', async () => {
    const { lines } = await until(['tail', '--media', '--json'], (l) => l.length >= 2);
    const { sources } = JSON.parse(lines.at(-1) ?? '');
    expect(sources).toHaveLength(2);
    expect(sources[0]).toMatchObject({ rtmsStreamId: id, mediaType: 'audio', codec: 'L16' });
    expect(sources[0].frames).toBeGreaterThan(10);
  });

  test("keeps a participant's control characters from the terminal", async () => {
    const origin = { rtmsStreamId: 'rogue', epoch: 1, product: 'meeting', entityId: 'x' } as const;
    const Data = encodeEvent(origin, 'transcript', 1, Date.now(), {
      text: 'red \u001b[31malert\u202e',
      userName: 'Eve\u0007',
      timestampMs: Date.now(),
    });
    const put = { StreamName: stack.aws.streams.events, PartitionKey: 'rogue', Data };
    await kinesis.send(new PutRecordCommand(put));
    const { stdout } = await plain('tail', 'rogue', '--since', '1m', '--for', '2s');
    expect(stdout).toMatch(/Eve : red {2}\[31malert $/m);
  });
});

describe('rtms handover and stop', () => {
  test('gives a session to the other runner', { timeout: 40_000 }, async () => {
    const { code, json } = await rtms('handover', id);
    expect(json[0]).toMatchObject({ done: true, from: { epoch: 1 }, to: { epoch: 2 } });
    expect(json[0].to.owner).not.toBe(json[0].from.owner);
    expect(code).toBe(0);
  });

  test('names what a hand-over of a running session may have cost', async () => {
    const { code, stdout } = await plain('verify', id);
    expect(stdout).toMatch(/^transcript may lack lines between .*: it changed its runner$/m);
    expect(stdout).toContain('incomplete so far; the session still runs');
    expect(code).toBe(1);
  });

  test('ends a session', { timeout: 40_000 }, async () => {
    const { code, stdout } = await plain('stop', id);
    expect(stdout).toBe(`${id} has ended\n`);
    expect(code).toBe(0);
    const again = await plain('stop', id);
    expect(again.stderr).toBe(`rtms: nobody serves ${id}: it has ended\n`);
    expect(again.code).toBe(1);
  });
});

describe('rtms session', () => {
  test('tells the life of a session, handed over and stopped', async () => {
    const { code, json } = await rtms('session', id);
    expect(json[0]).toMatchObject({ kind: 'row', rtmsStreamId: id, state: 'ended', epoch: 2 });
    const names = json.filter(({ kind }) => kind === 'event').map(({ name }) => name);
    const life = names.filter((name: string) => /session_(?!state)/.test(name));
    expect(life).toEqual([
      'session_started',
      'session_handed_over',
      'session_taken_over',
      'session_started',
      'session_ended',
    ]);
    expect(json.at(-1).counts.transcript).toBeGreaterThan(2);
    expect(code).toBe(0);
    const { stdout } = await plain('session', id);
    expect(stdout).toMatch(/epoch 2 {2}taken over from epoch 1 \(handed_over\)$/m);
    expect(stdout).toMatch(/^ {4}audio .* 0$/m);
  });
});

describe('rtms verify', () => {
  test('finds nothing lost of a session that was handed over, but the lines of that moment', async () => {
    const { code, json } = await rtms('verify', id);
    expect(json[0]).toMatchObject({ ok: true, lost: 0, problems: [], verdict: 'incomplete' });
    const mediaTypes = json[0].losses.map(({ mediaType }: { mediaType: string }) => mediaType);
    expect(mediaTypes.sort()).toEqual(['chat', 'transcript']);
    expect(code).toBe(1);
  });

  test('ends with 4 when a frame is missing without a word', async () => {
    for (const sequence of [1, 2, 4]) {
      const Data = encodeMediaRecord({
        rtmsStreamId: 'holed',
        epoch: 1,
        sequence,
        mediaType: 1,
        userId: 7,
        userName: '',
        capturedAtMs: Date.now(),
        receivedAtMs: Date.now(),
        codec: 1,
        payload: Buffer.from('pcm!'),
      });
      const put = { StreamName: stack.aws.streams.media, PartitionKey: 'holed', Data };
      await kinesis.send(new PutRecordCommand(put));
    }
    const { code, stdout } = await plain('verify', 'holed');
    expect(stdout).toContain('holed epoch 1 audio user 7: 1 neither written nor explained');
    expect(stdout).toContain('contradictory so far');
    expect(code).toBe(4);
  });
});

describe('rtms export', () => {
  test('writes the files of a session', async () => {
    const out = join(folder, 'whole');
    const { code, json } = await rtms('export', id, '--out', out);
    // As verify says: it was handed over, and lines of that moment may lack.
    expect(code).toBe(1);
    expect(json[0]).toMatchObject({ verdict: 'incomplete', leftOut: [] });
    const names = readdirSync(out).sort();
    expect(names).toEqual([
      'audio-16778240-participant-1.wav',
      'audio-16779264-participant-2.wav',
      'events.jsonl',
      'gaps.json',
      'manifest.json',
      'meeting.mkv',
      'meeting.mp4',
      'meeting.wav',
      'participants.json',
      'speakers.rttm',
      'transcript.jsonl',
      'transcript.srt',
      'transcript.txt',
      'transcript.vtt',
    ]);
    expect(json[0].files).toEqual(names.map((name) => join(out, name)));
    // Not the first line: Zoom does not keep what is said before a loaded machine has joined.
    expect(readFileSync(join(out, 'transcript.vtt'), 'utf8')).toMatch(/Line \d+\./);
  });

  test('cuts out what --from and --to say', async () => {
    const { json } = await rtms('export', id, '--out', join(folder, 'all'));
    const fromMs = json[0].startMs + 1_000;
    const window = ['--from', new Date(fromMs), '--to', new Date(fromMs + 1_000)].map((part) =>
      part instanceof Date ? part.toISOString() : part,
    );
    const cut = await rtms('export', id, '--out', join(folder, 'cut'), ...window);
    expect(cut.json[0]).toMatchObject({ startMs: fromMs, frames: 100 });
  });
});

describe('rtms redrive', () => {
  test('gives each dead job its reason, sends one again and deletes the others', {
    timeout: 30_000,
  }, async () => {
    const { region, credentials, endpoints, table, deadLetterQueueUrl } = stack.aws;
    const client = { region, credentials };
    const sqs = new SQSClient({ ...client, endpoint: endpoints.sqs });
    const dynamodb = new DynamoDBClient({ ...client, endpoint: endpoints.dynamodb });
    const row = {
      pk: sessionKey('left-behind'),
      rtmsStreamId: 'left-behind',
      owner: UNOWNED,
      startEventTsMs: Date.now(),
      serverUrls: ['ws://127.0.0.1:9'],
      product: 'meeting',
      entityId: 'x',
      app: 'default',
      requestedAtMs: Date.now(),
    };
    await DynamoDBDocumentClient.from(dynamodb).send(
      new PutCommand({ TableName: table, Item: row }),
    );
    for (const MessageBody of [encodeSessionJob('left-behind'), encodeSessionJob(id), 'nonsense']) {
      await sqs.send(new SendMessageCommand({ QueueUrl: deadLetterQueueUrl, MessageBody }));
    }
    const listed = await rtms('redrive');
    const byReason = (jobs: { reason: string; action: string }[]) =>
      Object.fromEntries(jobs.map(({ reason, action }) => [reason, action]));
    expect(byReason(listed.json[0].jobs)).toEqual({
      'still waits: no runner had room or lived': 'kept',
      'over (RECEIVER_REQUEST_CLOSE)': 'kept',
      'the body is no job of ours': 'kept',
    });
    expect(listed.code).toBe(1);
    const sent = await rtms('redrive', '--send', '--discard');
    expect(byReason(sent.json[0].jobs)).toEqual({
      'still waits: no runner had room or lived': 'sent',
      'over (RECEIVER_REQUEST_CLOSE)': 'discarded',
      'the body is no job of ours': 'discarded',
    });
    expect(sent.code).toBe(0);
    const { stdout, code } = await plain('redrive');
    expect([stdout, code]).toEqual(['the dead-letter queue is empty\n', 0]);
    await waitFor(async () => {
      const { json } = await rtms('sessions', '--all', '--no-lag');
      const found = json[0].sessions.find(
        (session: { rtmsStreamId: string }) => session.rtmsStreamId === 'left-behind',
      );
      expect(found.epoch).toBe(1);
    }, 10_000);
    sqs.destroy();
    dynamodb.destroy();
  });
});

describe('rtms send-test-webhook', () => {
  test('validates the URL as Zoom does', async () => {
    const { code, json } = await rtms('send-test-webhook');
    expect(json[0]).toMatchObject({ status: 200, result: 'valid' });
    expect(code).toBe(0);
  });

  test('sends any event, and shows a refusal', async () => {
    const payload =
      '{"rtms_stream_id": "s", "server_urls": "wss://example.com", "meeting_uuid": "m"}';
    const event = ['--event', 'meeting.rtms_started', '--payload', payload];
    const { code, stdout } = await plain('send-test-webhook', ...event);
    expect(stdout).toMatch(/: 400 in \d+ ms, malformed, no allowed server address/);
    expect(code).toBe(1);
    expect((await rtms('send-test-webhook', '--event', 'some.thing')).code).toBe(0);
  });
});

describe('rtms simulate', () => {
  test('plays meetings and says that they were taken', { timeout: 40_000 }, async () => {
    const { code, json } = await rtms('simulate', '--meetings', '3', '--duration', '3s');
    const summary = json.at(-1);
    expect(summary).toMatchObject({ kind: 'summary', meetings: 3, failed: 0 });
    const [first] = summary.results;
    expect(first).toMatchObject({ frames: expect.any(Number), lines: 2 });
    expect(code).toBe(0);
    const ended = await waitFor(async () => {
      const { json: looks } = await rtms('sessions', '--all', '--no-lag');
      const found = looks[0].sessions.find(
        (session: { rtmsStreamId: string }) => session.rtmsStreamId === first.rtmsStreamId,
      );
      expect(found.state).toBe('ended');
      return found;
    }, 15_000);
    const { json: reports } = await rtms('verify', ended.rtmsStreamId);
    expect(reports[0]).toMatchObject({ ok: true, lost: 0 });
  });

  test('leaves a deployment alone that does not expect it', async () => {
    const { code, stderr, stdout } = await plain('simulate', '--allowed-hosts', 'zoom.us');
    expect(stderr).toContain("not the simulator's 127.0.0.1");
    expect(stdout).toBe('');
    expect(code).toBe(1);
  });
});

describe('rtms', () => {
  test.each<[string, string[], number, RegExp]>([
    ['an unknown command', ['sesions'], 2, /Did you mean session/],
    ['a missing argument', ['verify'], 2, /missing required argument 'session'/],
    ['a table nobody named', ['sessions'], 2, /Give --table, set SESSION_TABLE/],
    ['a file that is not there', ['sessions', '--config', 'no.json'], 2, /no\.json cannot be read/],
    ['no duration', ['tail', '--events-stream', 'e', '--for', 'soon'], 2, /"soon" is no duration/],
  ])('says what is wrong with %s, without a stack', async (_, args, exitCode, says) => {
    const { code, stderr } = await start(args).ended;
    expect(stderr).toMatch(says);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect(code).toBe(exitCode);
  });

  test('lists its commands', async () => {
    const { code, stdout } = await start(['--help']).ended;
    expect(stdout).toContain('preflight [options]');
    expect(code).toBe(0);
  });

  test('ends with 3 when nobody answers, and says so in JSON too', {
    timeout: 30_000,
  }, async () => {
    const dead = 'http://127.0.0.1:9';
    const endpoints = { sqs: dead, kinesis: dead, dynamodb: dead, secretsManager: dead };
    const file = join(folder, 'dead.json');
    writeFileSync(file, describeStack({ endpoints }));
    const { code, stdout, stderr } = await start(['sessions', '--json', '--config', file]).ended;
    expect(JSON.parse(stderr).error).toMatchObject({ code: 'cli/unreachable' });
    expect(stdout).toBe('');
    expect(code).toBe(3);
  });

  test('advises to start the local stack when that is what does not answer', async () => {
    const dead = 'http://127.0.0.1:9';
    const endpoints = { sqs: dead, kinesis: dead, dynamodb: dead, secretsManager: dead };
    const file = join(folder, 'dead-local.json');
    writeFileSync(file, describeStack({ endpoints, webhookUrl: `${dead}/webhook` }));
    const { code, stdout } = await start(['preflight', '--local', file]).ended;
    expect(stdout).toContain('Start the local stack with `npm start -- --live`');
    expect(stdout).not.toMatch(/cdk deploy|ECS|aws secretsmanager/);
    expect(code).toBe(3);
  });

  test('tells wrong use as JSON, and its version', async () => {
    const wrong = await start(['verify', '--json']).ended;
    expect(JSON.parse(wrong.stderr).error).toMatchObject({ code: 'config/invalid' });
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(await start(['--version']).ended).toMatchObject({ code: 0, stdout: '0.1.0\n' });
  });

  test('takes every name from the environment', async () => {
    const { code, stdout } = await start(
      ['sessions', '--json', '--no-lag', '--all'],
      stack.aws.env(),
    ).ended;
    expect(JSON.parse(stdout).sessions.length).toBeGreaterThan(0);
    expect(code).toBe(0);
  });
});
