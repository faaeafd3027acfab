import { afterAll, beforeAll, expect, test } from 'vitest';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import {
  type LocalSessionTable,
  startSessionTable,
} from '../../test/support/session/local-session-table.ts';
import { MemorySink } from '../../test/support/session/memory-sink.ts';
import { Told } from '../../test/support/session/session-parts.ts';
import { waitUntil } from '../../test/support/wait.ts';
import { DrainDeadline } from '../task/drain-deadline.ts';
import { MissedStreams, missedLines } from './missed-streams.ts';

let table: LocalSessionTable;
beforeAll(async () => {
  table = await startSessionTable();
});
afterAll(() => table[Symbol.asyncDispose]());

const missed = { reason: 'no_room', atMs: 5_000, epoch: 1, sequence: 1, ledger: [] };

function teller() {
  const events = new MemorySink();
  const told = new Told();
  const notified: string[] = [];
  const deadline = new DrainDeadline({ flushMs: 1_000, exitMs: 60_000, secondExitMs: 60_000 });
  const streams = new MissedStreams({
    events,
    store: table.store,
    notify: async (rtmsStreamId) => void notified.push(rtmsStreamId),
    wanted() {},
    deadline,
    logger: told.logger,
    metrics: told.metrics,
    changed() {},
  });
  return { events, told, notified, streams };
}

async function untold(id: string, fields: Partial<SessionRow> = {}): Promise<SessionRow> {
  const seen = await table.start(id, { stopEventTsMs: 2_000, stopReason: 6 });
  const row = (await table.store.miss(seen, missed, 'me', 5_000)) as SessionRow;
  return { ...row, ...fields };
}

test('two runners that tell one stream write the same bytes, and one of them is the last', async () => {
  const row = await untold('twice');
  const [one, other] = [teller(), teller()];
  one.streams.tell(row);
  other.streams.tell(row);
  one.streams.tell(row);
  await Promise.all([one.streams.idle(), other.streams.idle()]);
  expect(one.events.lines).toHaveLength(1);
  expect(one.events.lines).toEqual(other.events.lines);
  expect(one.events.lines[0]).toMatchObject({
    id: 'twice/1/1',
    type: 'rtms.session_missed.v1',
    data: { reason: 'no_room', entityId: 'e' },
  });
  expect(await table.row('twice')).not.toHaveProperty('owner');
});

test('what Kinesis does not take stays untold, for whoever looks next', async () => {
  const row = await untold('dropped');
  const { events, told, streams } = teller();
  events.fate = 'write_failed';
  streams.tell(row);
  await waitUntil(() => streams.underWay === 0);
  expect(told.events).toEqual(['missed_untold']);
  expect(await table.row('dropped')).toMatchObject({ owner: 'me', untold: true });
  events.fate = 'written';
  streams.tell(row);
  await streams.idle();
  expect(await table.row('dropped')).not.toHaveProperty('untold');
});

test('a notice is told as it came, and then what was missed by it', () => {
  const row = {
    pk: 'SESSION#n',
    rtmsStreamId: 'n',
    startEventTsMs: 4_000,
    serverUrls: [],
    product: 'meeting',
    entityId: 'e/1',
    app: 'default',
    requestedAtMs: 4_100,
    notice: { event: 'rtms.start_failed', numbers: { reason: 10 }, raw: '{"reason":10,"x":1}' },
    missed: { ...missed, reason: 'start_failed', atMs: 4_000, sequence: 2 },
  } as const;
  const events = missedLines(row).map(({ bytes }) => JSON.parse(bytes.toString()));
  expect(events).toMatchObject([
    {
      type: 'rtms.start_failed.v1',
      source: '/zoom/meeting/e%2F1',
      sequence: 1,
      data: { timestampMs: 4_000, numbers: { reason: 10 }, raw: { reason: 10, x: 1 } },
    },
    { type: 'rtms.session_missed.v1', sequence: 2, data: { reason: 'start_failed' } },
  ]);
});
