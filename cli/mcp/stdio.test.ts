import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectOnStdio, type TestClient } from '../../test/support/mcp-client.ts';
import { type MeetingRecords, startMeetingRecords } from '../../test/support/meeting-records.ts';
import { START_MS } from '../../test/support/test-records.ts';

/** `rtms mcp` as a client starts it: a process on stdin and stdout, in protocol revision 2026-07-28. */

const TRANSCRIPT = 'rtms://meetings/alpha/transcript';
let records: MeetingRecords;
let client: TestClient;

beforeAll(async () => {
  records = await startMeetingRecords();
  await records.row({ rtmsStreamId: 'alpha', owner: 'task-1' });
  await records.row({ rtmsStreamId: 'beta', owner: 'task-1' });
  await records.said('alpha', 'we begin', 'Ada', START_MS);
  client = await connectOnStdio('auto', '--config', records.description, '--meeting', 'alpha');
});
afterAll(async () => {
  await client.close();
  await records[Symbol.asyncDispose]();
});

test('a client of the newest revision reads a meeting, and is told of new lines', async () => {
  expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28');
  const { facts } = await client.call('list_meetings');
  expect(facts.meetingData.meetings.map(({ id }) => id)).toEqual(['alpha']);
  expect((await client.call('read_transcript', { meeting: 'alpha' })).text).toContain('we begin');
  expect((await client.call('read_transcript', { meeting: 'beta' })).isError).toBe(true);

  const listening = await client.listen({ resourceSubscriptions: [TRANSCRIPT] });
  let atMs = START_MS;
  await expect
    .poll(
      async () => {
        // The first reading after a subscription tells nothing new, so lines go on until it was told.
        atMs += 1_000;
        await records.said('alpha', `line at ${atMs - START_MS}`, 'Ada', atMs);
        return client.updated;
      },
      { interval: 300 },
    )
    .toContain(TRANSCRIPT);
  const { contents } = await client.readResource({ uri: TRANSCRIPT });
  expect(JSON.stringify(contents)).toContain('line at 1000');
  await listening.close();
  // Whoever does not listen is told nothing.
  const told = client.updated.length;
  await records.said('alpha', 'the last line', 'Ada', atMs + 1_000);
  await expect
    .poll(async () => (await client.call('read_transcript', { meeting: 'alpha' })).text)
    .toContain('the last line');
  expect(client.updated).toHaveLength(told);
});
