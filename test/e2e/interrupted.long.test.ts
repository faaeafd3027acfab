import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { KinesisClient, PutRecordCommand } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type LocalAws, startLocalAws } from '../../local/aws/local-aws.ts';
import { encodeMediaRecord } from '../../shared/record/encode-media-record.ts';
import { encodeAggregate } from '../../shared/record/kpl.ts';
import { eventBytes, mediaRecord } from '../support/test-records.ts';
import { waitFor } from '../support/wait.ts';

/** `rtms verify` and `rtms export` as real processes, ended by somebody in the middle of a long session. */

const ID = 'stream-1';
/** More than `rtms export` collects before it begins its files. */
const FRAMES = 600;

const APP = { clientId: 'id', clientSecret: 'secret', webhookSecretTokens: ['token'] };

let folder: string;
let description: string;
let aws: LocalAws;
let gate: Server;
const children: ChildProcess[] = [];
/** Does the media stream go on and on, as that of a long session seems to? */
let isEndless = false;
/** Pages of media that were asked for. */
let pages = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rtms-interrupted-'));
  description = join(folder, 'stack.json');
  aws = await startLocalAws({ zoomSecret: JSON.stringify({ apps: { default: APP } }) });
  const { region, credentials, endpoints, queueUrl, table, streams, secretId } = aws;
  const endpoint = endpoints.kinesis;
  gate = await startGate(endpoint, streams.media);
  const kinesis = `http://127.0.0.1:${(gate.address() as AddressInfo).port}`;
  const names = {
    region,
    endpoints: { ...endpoints, kinesis },
    queueUrl,
    table,
    streams,
    secretId,
  };
  // Nobody answers there: meetings are neither taken nor do they end.
  const local = { ...names, webhookUrl: 'http://127.0.0.1:9/webhook', allowedHosts: '127.0.0.1' };
  await writeFile(description, JSON.stringify(local));
  const requestHandler = new NodeHttpHandler();
  const client = new KinesisClient({ region, credentials, endpoint, requestHandler });
  const put = (StreamName: string, Data: Uint8Array) =>
    client.send(new PutRecordCommand({ StreamName, PartitionKey: ID, Data }));
  const startMs = Date.now();
  const times = { requestedAtMs: startMs, claimedAtMs: startMs, streamingAtMs: startMs };
  const facts = { product: 'meeting', entityId: 'a/b==', media: {} } as const;
  await put(streams.events, eventBytes('session_started', { ...facts, ...times }));
  const frames = Array.from({ length: FRAMES }, (_, index) =>
    encodeMediaRecord(
      mediaRecord({
        sequence: index + 1,
        capturedAtMs: startMs + index * 20,
        receivedAtMs: startMs + index * 20,
      }),
    ),
  );
  await put(streams.media, encodeAggregate(ID, frames));
  client.destroy();
}, 30_000);

afterEach(() => {
  isEndless = false;
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

afterAll(async () => {
  gate.closeAllConnections();
  gate.close();
  await aws.close();
  await rm(folder, { recursive: true, force: true });
});

/** Kinesis, but for the end of the media stream: a reader never gets there while `isEndless`. */
async function startGate(kinesisUrl: string, mediaStream: string): Promise<Server> {
  const iterators = new Set<string>();
  const server = createServer(async (request, response) => {
    const body = (await buffer(request)).toString();
    const headers = Object.entries(request.headers).filter(
      ([name]) => !['host', 'connection', 'content-length'].includes(name),
    ) as [string, string][];
    const answer = await fetch(kinesisUrl, { method: 'POST', headers, body });
    let text = await answer.text();
    const target = String(request.headers['x-amz-target']);
    const asked = JSON.parse(body);
    if (target.endsWith('.GetShardIterator') && asked.StreamName === mediaStream) {
      iterators.add(JSON.parse(text).ShardIterator);
    } else if (target.endsWith('.GetRecords') && iterators.has(asked.ShardIterator)) {
      pages += 1;
      const page = JSON.parse(text);
      iterators.add(page.NextShardIterator);
      if (isEndless) text = JSON.stringify({ ...page, MillisBehindLatest: 60_000 });
    }
    const type = answer.headers.get('content-type') ?? '';
    response.writeHead(answer.status, { 'content-type': type }).end(text);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

function start(...args: string[]) {
  const child = spawn(process.execPath, ['cli/main.ts', ...args, '--local', description], {
    env: { PATH: process.env['PATH'], HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => (output.stdout += chunk));
  child.stderr.on('data', (chunk) => (output.stderr += chunk));
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) =>
    child.on('close', (code) => resolve({ ...output, code })),
  );
  return { child, ended };
}

describe.each(['SIGINT', 'SIGTERM'] as const)('%s in the middle', (signal) => {
  test('of rtms verify: nothing is judged, exit code 130', { timeout: 25_000 }, async () => {
    isEndless = true;
    const before = pages;
    const { child, ended } = start('verify', ID);
    await waitFor(() => expect(pages).toBeGreaterThan(before));
    child.kill(signal);
    expect(await ended).toEqual({
      code: 130,
      stdout: '',
      stderr: 'interrupted: nothing is judged\n',
    });
  });

  test('of rtms export: neither a file nor its folder is left, exit code 130', {
    timeout: 25_000,
  }, async () => {
    isEndless = true;
    const out = join(folder, signal);
    const { child, ended } = start('export', ID, '--out', out);
    await waitFor(async () => expect(await readdir(out)).toContain('audio-7-ada.wav.partial'));
    expect((await readdir(out)).filter((name) => !name.endsWith('.partial'))).toEqual([]);
    child.kill(signal);
    expect(await ended).toEqual({
      code: 130,
      stdout: '',
      stderr: 'interrupted: nothing was written\n',
    });
    expect(existsSync(out)).toBe(false);
  });

  test('of rtms simulate: it says so, exit code 130', { timeout: 25_000 }, async () => {
    const { child, ended } = start('simulate', '--duration', '1h');
    await once(child.stdout, 'data');
    child.kill(signal);
    const { code, stdout } = await ended;
    expect(stdout).toContain('interrupted: what had not ended was ended early');
    expect(code).toBe(130);
  });
});

describe('without anybody who reads what it says', () => {
  test('rtms verify ends with 130: its verdict was not heard', { timeout: 25_000 }, async () => {
    const { child, ended } = start('verify', ID, '--fast');
    child.stdout.destroy();
    expect(await ended).toMatchObject({ code: 130, stderr: '' });
  });

  test('rtms export ends with 130, and no file is half written', { timeout: 25_000 }, async () => {
    const out = join(folder, 'unheard');
    const { child, ended } = start('export', ID, '--fast', '--out', out);
    child.stdout.destroy();
    expect(await ended).toMatchObject({ code: 130, stderr: '' });
    expect(await readdir(out)).toEqual([
      'audio-7-ada.wav',
      'events.jsonl',
      'manifest.json',
      'meeting.mkv',
      'meeting.mp4',
      'meeting.wav',
      'participants.json',
      'speakers.rttm',
    ]);
  });

  test('rtms tail, which ends with its reader, ends with 0', { timeout: 25_000 }, async () => {
    const { child, ended } = start('tail', '--since', '10m');
    child.stdout.destroy();
    expect(await ended).toMatchObject({ code: 0, stderr: '' });
  });
});
