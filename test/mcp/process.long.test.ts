import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  connectOnHttp,
  connectOnStdio,
  type HttpMcp,
  startHttpMcp,
} from '../support/mcp-client.ts';
import { type MeetingRecords, startMeetingRecords } from '../support/meeting-records.ts';
import { START_MS } from '../support/test-records.ts';
import { waitFor } from '../support/wait.ts';

/** `rtms mcp` as real processes, over both transports and in both protocol families, and what they take in memory. */

const TRANSCRIPT = 'rtms://meetings/alpha/transcript';
let records: MeetingRecords;
let http: HttpMcp | undefined;

beforeAll(async () => {
  records = await startMeetingRecords();
  await records.row({ rtmsStreamId: 'alpha', owner: 'task-1' });
  await records.said('alpha', 'we begin', 'Ada', START_MS);
});
afterEach(async () => {
  http?.child.kill('SIGTERM');
  http = undefined;
});
afterAll(() => records[Symbol.asyncDispose]());

test('a client of the older revisions reads a meeting on stdio', async () => {
  const client = await connectOnStdio('legacy', '--config', records.description);
  expect(client.getNegotiatedProtocolVersion()).toBe('2025-11-25');
  expect((await client.call('read_transcript', { meeting: 'alpha' })).text).toContain('we begin');
  await client.close();
});

test('clients of both protocols are told of new lines over HTTP, and read them', async () => {
  http = await startHttpMcp('--config', records.description);
  const { url, token } = http;
  const [older, newest] = await Promise.all([
    connectOnHttp('legacy', url, token),
    connectOnHttp('auto', url, token),
  ]);
  expect(older.getNegotiatedProtocolVersion()).toBe('2025-11-25');
  expect(newest.getNegotiatedProtocolVersion()).toBe('2026-07-28');
  await older.subscribeResource({ uri: TRANSCRIPT });
  const listening = await newest.listen({ resourceSubscriptions: [TRANSCRIPT] });
  let time = 30_000;
  await waitFor(
    async () => {
      // The first reading after a subscription tells nothing new, so lines go on until both were told.
      time += 1_000;
      await records.said('alpha', `line at ${time}`, 'Ada', START_MS + time);
      expect(older.updated).toContain(TRANSCRIPT);
      expect(newest.updated).toContain(TRANSCRIPT);
    },
    { interval: 300 },
  );
  const { contents } = await newest.readResource({ uri: TRANSCRIPT });
  expect(JSON.stringify(contents)).toContain('line at 31000');
  await listening.close();
  await Promise.all([older.close(), newest.close()]);
});

test('broken JSON on stdin ends nothing; a client that goes away ends the process with 0', async () => {
  const args = ['cli/main.ts', 'mcp', '--config', records.description];
  const child = spawn(process.execPath, args, { stdio: 'pipe' });
  const said = text(child.stderr);
  const answered = once(child.stdout, 'data');
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'raw', version: '1' },
  };
  const initialize = { jsonrpc: '2.0', id: 1, method: 'initialize', params };
  child.stdin.write(`{"broken\n\u0000\n${JSON.stringify(initialize)}\n`);
  const [data] = await answered;
  expect(JSON.parse(String(data))).toMatchObject({
    id: 1,
    result: { serverInfo: { name: 'rtms' } },
  });
  const call = { name: 'explain_meeting', arguments: { meeting: 'alpha' } };
  child.stdin.end(
    `${JSON.stringify({ jsonrpc: '2.0', id: 2, method: 'tools/call', params: call })}\n`,
  );
  child.stdout.destroy();
  const [code] = await once(child, 'exit');
  expect({ code, said: await said }).toMatchObject({ code: 0 });
});

const residentBytes = ({ pid }: ChildProcess) =>
  1_024 * Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }));

/** Characters of one line. With what each line counts beside its text, 48 MB hold 83 of them. */
const LINE = 300_000;
const LINES = 100;
const KEPT = 83;

test('a meeting that is too large for memory loses its oldest lines, and says how many', async () => {
  // In streams of its own: every meeting beside it would be read behind 30 MB.
  await using own = await startMeetingRecords();
  await own.row({ rtmsStreamId: 'huge' });
  for (let line = 0; line < LINES; line++)
    await saidAtLast(own, 'huge', `${line} ${'x'.repeat(LINE)}`, line);
  http = await startHttpMcp('--config', own.description);
  const client = await connectOnHttp('auto', http.url, http.token);
  const before = residentBytes(http.child);
  const { facts, text: answer } = await client.call('read_transcript', {
    meeting: 'huge',
    limit: 1,
  });
  const [first] = facts.meetingData.lines;
  const dropped = (facts as unknown as { droppedLines: number }).droppedLines;
  expect(LINES - dropped).toBe(KEPT);
  expect(first?.text).toMatch(new RegExp(`^${dropped} x+… `));
  expect(answer).toContain(`The ${dropped} oldest lines did not fit into memory.`);
  // Strings of one byte a character are half of what is counted; what was read is garbage until it is collected.
  expect(residentBytes(http.child) - before).toBeLessThan(250e6);
  await client.close();
}, 180_000);

/** A shard takes 1 MB a second. */
async function saidAtLast(
  own: MeetingRecords,
  id: string,
  line: string,
  index: number,
): Promise<void> {
  for (;;) {
    try {
      return await own.said(id, line, 'Ada', START_MS + index);
    } catch (error) {
      if ((error as Error).name !== 'ProvisionedThroughputExceededException') throw error;
      await delay(200);
    }
  }
}

test('more meetings than are kept in memory are read right, each time', async () => {
  const ids = Array.from({ length: 20 }, (_, index) => `many-${index}`);
  for (const id of ids) {
    await records.row({ rtmsStreamId: id });
    await records.said(id, `in ${id}`, 'Ada', START_MS);
  }
  http = await startHttpMcp('--config', records.description);
  const client = await connectOnHttp('auto', http.url, http.token);
  for (const id of [...ids, ...ids]) {
    const { facts } = await client.call('read_transcript', { meeting: id });
    expect(facts.meetingData.lines.map(({ text: said }) => said)).toEqual([`in ${id}`]);
  }
  await client.close();
}, 120_000);
