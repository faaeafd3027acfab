import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { STOP_REASON } from '../../rtms/protocol/stop-reason.ts';
import { type DenyingAws, startDenyingAws } from '../../test/support/denying-aws.ts';
import type { TestClient } from '../../test/support/mcp-client.ts';
import { startMcpServer, type TestMcpServer } from '../../test/support/mcp-server.ts';
import { type MeetingRecords, startMeetingRecords } from '../../test/support/meeting-records.ts';
import { START_MS } from '../../test/support/test-records.ts';

/** What an agent is told where there is nothing to read, or nothing may be read. */

let records: MeetingRecords;
let aws: DenyingAws;
let server: TestMcpServer;
let client: TestClient;
const TRANSCRIPT = (id: string) => `rtms://meetings/${id}/transcript`;

beforeAll(async () => {
  records = await startMeetingRecords();
  const { kinesis = '', dynamodb = '' } = records.deployment.endpoints ?? {};
  aws = await startDenyingAws({ kinesis, dynamodb });
  const started = { product: 'meeting', entityId: 'uuid', media: {} } as const;
  const times = { requestedAtMs: START_MS, claimedAtMs: START_MS, streamingAtMs: START_MS };
  for (const id of ['over', 'revoked']) {
    const end = { endedAtMs: START_MS + 60_000, stopEventTsMs: START_MS + 60_000 };
    const life = id === 'over' ? end : { owner: 'task-1' };
    await records.row({ rtmsStreamId: id, topic: 'Secret plans', ...life });
    await records.event(id, 'session_started', { ...started, ...times });
    await records.said(id, 'between us', 'Ada', START_MS);
  }
  const rows = [{ mediaType: 'audio', userId: 7, received: 10, written: 9, lost: 1 }] as const;
  const ended = { restartable: false, ledger: rows, stopReasonName: 'MEETING_ENDED' } as const;
  await records.event('over', 'session_ended', ended, START_MS + 60_000);
  server = await startMcpServer({ ...records.deployment, endpoints: aws.endpoints });
  client = await server.connect('auto');
});
afterEach(() => {
  aws.denied.clear();
  vi.unstubAllEnvs();
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await aws[Symbol.asyncDispose]();
  await records[Symbol.asyncDispose]();
});

test.each([
  'dynamodb:Scan',
  'kinesis:ListShards',
  'kinesis:GetShardIterator',
  'kinesis:GetRecords',
])(
  'a role without %s is told the name of the action, by every tool and resource',
  async (action) => {
    // A server keeps what it has read, so each case has one of its own.
    await using own = await startMcpServer({ ...records.deployment, endpoints: aws.endpoints });
    const agent = await own.connect('auto');
    aws.denied.add(action);
    const tools = [
      'read_transcript',
      'search_transcript',
      'who_speaks',
      'gaps_and_ledger',
      'explain_meeting',
    ];
    for (const tool of tools) {
      const words = tool === 'search_transcript' ? { words: 'us' } : {};
      const answer = await agent.call(tool, { meeting: 'over', ...words });
      expect(answer).toMatchObject({ isError: true, text: expect.stringContaining(action) });
    }
    await expect(agent.readResource({ uri: TRANSCRIPT('over') })).rejects.toThrow(action);
    aws.denied.clear();
    // The rows are read again at most once a second.
    await expect
      .poll(() => agent.call('read_transcript', { meeting: 'over' }))
      .toMatchObject({ isError: false });
  },
);

test('without credentials every tool says so, and how to get some', async () => {
  const names = [
    'AWS_PROFILE',
    'AWS_ACCESS_KEY_ID',
    'AWS_SECRET_ACCESS_KEY',
    'AWS_WEB_IDENTITY_TOKEN_FILE',
  ];
  for (const name of names) vi.stubEnv(name, undefined);
  for (const name of ['AWS_SHARED_CREDENTIALS_FILE', 'AWS_CONFIG_FILE'])
    vi.stubEnv(name, '/dev/null');
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  const { endpoints: _, ...deployment } = records.deployment;
  await using own = await startMcpServer(deployment);
  const agent = await own.connect('auto');
  for (const [tool, args] of [
    ['list_meetings', {}],
    ['read_transcript', { meeting: 'over' }],
  ] as const) {
    const { isError, text: why } = await agent.call(tool, args);
    expect({ isError, why }).toEqual({
      isError: true,
      why: expect.stringMatching(/session table sessions: no AWS credentials; run `aws sso login`/),
    });
  }
  await expect(agent.listResources()).rejects.toThrow('no AWS credentials');
});

test('a meeting that ended is listed as ended, and read to its end', async () => {
  const { facts } = await client.call('list_meetings');
  expect(facts.meetingData.meetings).toContainEqual(
    expect.objectContaining({ id: 'over', state: 'ended' }),
  );
  const live = await client.call('list_meetings', { only: 'live' });
  expect(live.facts.meetingData.meetings.map(({ id }) => id)).not.toContain('over');
  const read = await client.call('read_transcript', {
    meeting: 'over',
    kinds: ['said', 'session'],
  });
  expect(read.facts.meetingData.lines.map(({ text: said }) => said)).toEqual([
    expect.stringContaining('streaming'),
    'between us',
    'ended: MEETING_ENDED',
  ]);
  const { text: gaps, facts: ledger } = await client.call('gaps_and_ledger', { meeting: 'over' });
  expect(gaps).toContain('received 10, written 9, lost 1');
  expect(ledger).toMatchObject({ isOpen: false });
});

test('when Zoom takes the consent back, nothing that was said is given any more', async () => {
  const meeting = 'revoked';
  const before = await client.call('read_transcript', { meeting });
  expect(before.text).toContain('between us');
  const revoked = { stopReason: STOP_REASON.STREAM_REVOKED, stopEventTsMs: START_MS + 1_000 };
  await records.row({ rtmsStreamId: meeting, topic: 'Secret plans', ...revoked });
  await records.event(meeting, 'session_revoked', { timestampMs: START_MS }, START_MS + 1_000);
  // Whatever comes behind it is not told either.
  await records.said(meeting, 'and this between us', 'Ada', START_MS + 2_000);
  const calls = [
    ['read_transcript', {}],
    ['read_transcript', { last: 5 }],
    ['read_transcript', { mark: before.facts.nextMark }],
    ['read_transcript', { kinds: ['joined', 'session', 'gap'] }],
    ['search_transcript', { words: 'us' }],
    ['who_speaks', {}],
  ] as const;
  for (const [tool, args] of calls) {
    const { isError, text: why } = await client.call(tool, { meeting, ...args });
    expect({ isError, why }).toEqual({
      isError: true,
      why: expect.stringContaining('took back the consent'),
    });
  }
  await expect(client.readResource({ uri: TRANSCRIPT(meeting) })).rejects.toThrow('consent');
  const others = [
    await client.call('gaps_and_ledger', { meeting }),
    await client.call('explain_meeting', { meeting }),
  ];
  expect(others.map(({ text: said }) => said).join()).toContain('took the consent back');
  expect(JSON.stringify(others)).not.toMatch(/between us|Ada|Secret plans/);
  const { meetings } = (await client.call('list_meetings')).facts.meetingData;
  const topics = meetings.map(({ id, topic }) => [id, topic]);
  expect(Object.fromEntries(topics)).toEqual({
    over: 'Secret plans',
    revoked: undefined,
  });
});

const LIST = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';

/** A request as no client of ours sends it. */
function send(headers: Record<string, string>, body: string, path = '/mcp', method = 'POST') {
  const { port } = new URL(server.url);
  return new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers }, async (answer) =>
      resolve({ status: answer.statusCode, body: await text(answer) }),
    );
    sent.on('error', reject).end(body);
  });
}

test.each([
  ['a foreign Host', { host: 'evil.example' }, '{}', 421],
  ['a foreign Origin', { origin: 'https://evil.example' }, '{}', 403],
  ['no token', { authorization: '' }, '{}', 401],
  ['broken JSON', {}, '{"jsonrpc"', 400],
  ['no session', {}, LIST, 400],
  ['a session of another run', { 'mcp-session-id': 'x' }, LIST, 404],
  ['2 MB', {}, 'x'.repeat(2_000_000), 413],
] as const)('HTTP with %s is refused', async (_, changes, body, status) => {
  const authorization = `Bearer ${server.token}`;
  const accept = 'application/json, text/event-stream';
  const headers = { authorization, accept, 'content-type': 'application/json', ...changes };
  expect(await send(headers, body)).toMatchObject({ status });
});
