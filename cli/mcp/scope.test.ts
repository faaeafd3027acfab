import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestClient } from '../../test/support/mcp-client.ts';
import { startMcpServer, type TestMcpServer } from '../../test/support/mcp-server.ts';
import { type MeetingRecords, startMeetingRecords } from '../../test/support/meeting-records.ts';
import { START_MS } from '../../test/support/test-records.ts';

/** `--meeting`, `--since` and `--folder`, which no client can widen. */

let records: MeetingRecords;
let server: TestMcpServer;
/** Of the protocol that has `resources/subscribe`. */
let client: TestClient;
let folder: string;

beforeAll(async () => {
  records = await startMeetingRecords();
  folder = await mkdtemp(join(tmpdir(), 'rtms-mcp-'));
  await records.row({ rtmsStreamId: 'alpha', meetingId: '111', owner: 'task-1' });
  await records.row({ rtmsStreamId: 'beta', topic: 'other', meetingId: '222' });
  await records.row({ rtmsStreamId: 'empty', meetingId: '333' });
  await records.said('alpha', 'before the scope', 'Ada', START_MS - 60_000);
  await records.said('alpha', 'we begin', 'Ada', START_MS);
  await records.said('beta', 'a secret', 'Eve', START_MS);
  const scope = { meetings: ['alpha', 'empty'], sinceMs: START_MS };
  server = await startMcpServer(records.deployment, { ...scope, folder });
  client = await server.connect('legacy');
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await records[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test.each(['beta', '222', 'other', 'uuid-beta', 'alpha beta', '%62eta'])(
  'a client cannot widen the scope by naming %s',
  async (meeting) => {
    const unknown = await client.call('read_transcript', { meeting: 'no-such-meeting' });
    for (const tool of ['read_transcript', 'who_speaks', 'gaps_and_ledger', 'explain_meeting']) {
      const { isError, text: why } = await client.call(tool, { meeting });
      expect(isError).toBe(true);
      // The same words as for a meeting that does not exist.
      expect(why.replace(meeting, 'no-such-meeting')).toBe(unknown.text);
    }
    expect((await client.call('export_meeting', { meeting })).isError).toBe(true);
  },
);

test('a meeting out of scope is not read by a resource, a subscription, a mark or the list', async () => {
  for (const name of ['beta', '%62eta', 'alpha/../beta', 'other']) {
    const uri = `rtms://meetings/${name}/transcript`;
    await expect(client.readResource({ uri })).rejects.toThrow('not found');
    await expect(client.subscribeResource({ uri })).rejects.toThrow('not found');
  }
  const { facts } = await client.call('list_meetings');
  expect(facts.meetingData.meetings.map(({ id }) => id).sort()).toEqual(['alpha', 'empty']);
  const { resources } = await client.listResources();
  expect(JSON.stringify(resources)).not.toContain('beta');
  const at = { meeting: 'alpha', at: { beta: [0, 0], alpha: [0, 0] } };
  const mark = Buffer.from(JSON.stringify(at)).toString('base64url');
  const { text: answer } = await client.call('read_transcript', { meeting: 'alpha', mark });
  expect(answer).toContain('we begin');
  expect(answer).not.toMatch(/secret|before the scope/);
});

test('a meeting out of scope is not heard of by listening, in the protocol that has no subscriptions', async () => {
  const newest = await server.connect('auto');
  const uris = ['beta', 'alpha'].map((id) => `rtms://meetings/${id}/transcript`);
  const listening = await newest.listen({ resourceSubscriptions: uris });
  let time = START_MS + 10_000;
  await expect
    .poll(
      async () => {
        time += 1_000;
        await records.said('beta', 'another secret', 'Eve', time);
        await records.said('alpha', 'goes on', 'Ada', time);
        return newest.updated;
      },
      { interval: 300 },
    )
    .toContain(uris[1]);
  expect(newest.updated).not.toContain(uris[0]);
  await listening.close();
});

test('export writes into a new folder below the one that was named, whatever the client asks for', async () => {
  const paths = [];
  for (let time = 0; time < 2; time++) {
    const { facts, isError } = await client.call('export_meeting', { meeting: 'alpha' });
    expect(isError).toBe(false);
    paths.push((facts as unknown as { directory: string }).directory);
  }
  expect((await readdir(folder)).sort()).toEqual(['alpha', 'alpha-2']);
  expect(paths[0]?.endsWith('/alpha')).toBe(true);
  const files = await readdir(join(folder, 'alpha'));
  expect(files).toContain('transcript.vtt');
  const contents = files.map((file) => readFile(join(folder, 'alpha', file), 'utf8'));
  const written = (await Promise.all(contents)).join();
  expect(written).toContain('we begin');
  expect(written).not.toContain('before the scope');
});

test.each([
  [{ out: '/tmp/elsewhere' }, 'out'],
  [{ from: 'yesterday' }, 'from'],
  [{ to: '2020-01-01T00:00:00Z' }, 'to must be later'],
] as const)('export with %j is refused, and says why', async (more, why) => {
  const { isError, text } = await client.call('export_meeting', { meeting: 'alpha', ...more });
  expect({ isError, text }).toEqual({ isError: true, text: expect.stringContaining(why) });
});

test('a server without a folder offers no export', async () => {
  await using plain = await startMcpServer(records.deployment);
  const other = await plain.connect('auto');
  const { tools } = await other.listTools();
  expect(tools.map(({ name }) => name)).not.toContain('export_meeting');
});
