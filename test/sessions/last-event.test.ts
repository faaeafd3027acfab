import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { STOP_REASON } from '../../rtms/protocol/stop-reason.ts';
import { Producer } from '../../runner/kinesis/producer.ts';
import type { PutEntry } from '../../runner/kinesis/put-client.ts';
import { openSpool } from '../../runner/kinesis/spool/spool.ts';
import { SessionPool } from '../../runner/session/pool.ts';
import { DrainDeadline } from '../../runner/task/drain-deadline.ts';
import { EventDecoder, type ReceivedEvent } from '../../sdk/consumer/records/event-record.ts';
import { FrameDecoder } from '../../sdk/consumer/records/records.ts';
import { LedgerChecker } from '../../sdk/consumer/verdict/ledger.ts';
import { UNOWNED } from '../../shared/session-table/session-row.ts';
import {
  type LocalSessionTable,
  startSessionTable,
} from '../support/session/local-session-table.ts';
import type { MemoryClient } from '../support/session/memory-client.ts';
import { AUDIO_FRAME } from '../support/session/one-session.ts';
import { SessionParts } from '../support/session/session-parts.ts';
import { waitUntil } from '../support/wait.ts';

/**
 * A row says that an epoch is over only when the last event of that epoch is in Kinesis. Every way in which a session ends, with
 * Kinesis away until the drain's deadline: for both streams, or for one of them.
 */
let table: LocalSessionTable;
let directory: string;
beforeAll(async () => {
  table = await startSessionTable();
  directory = await mkdtemp(join(tmpdir(), 'last-event-'));
});
afterAll(async () => {
  await table[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

const MEDIA = {
  audio: { contentType: 2, codec: 1, sampleRate: 1, channel: 1, dataOpt: 2, sendRateMs: 20 },
};
const START_MS = 1_000;
const FRAMES = 30;
const SMALL = { laneBytes: 2_000, sessionBytes: 2_000, taskBytes: 2_000 };

type StreamName = 'media' | 'events';

/** The two Kinesis streams: each takes what it gets, or answers nothing. */
class TwoStreams {
  readonly away = new Set<StreamName>();
  readonly #records = { media: [] as PutEntry[], events: [] as PutEntry[] };

  async put(stream: StreamName, entries: readonly PutEntry[]) {
    await null;
    if (this.away.has(stream)) throw Object.assign(new Error('away'), { name: 'TimeoutError' });
    for (const { partitionKey, data } of entries) {
      this.#records[stream].push({ partitionKey, data: Buffer.from(data) });
    }
    return entries.map(() => ({ SequenceNumber: '1', ShardId: 'shardId-000000000000' }));
  }

  get events(): ReceivedEvent[] {
    const decoder = new EventDecoder();
    return this.#numbered('events').flatMap((record) => [...decoder.decode(record)]);
  }

  /** What `rtms verify` says of them. */
  get report() {
    const checker = new LedgerChecker();
    const decoder = new FrameDecoder();
    for (const record of this.#numbered('media'))
      for (const frame of decoder.decode(record)) checker.frame(frame);
    for (const event of this.events) checker.event(event);
    return checker.report();
  }

  #numbered(stream: StreamName) {
    return this.#records[stream].map((record, index) => ({
      ...record,
      sequenceNumber: String(index + 1),
    }));
  }
}

/** A deadline whose time for what is lost is over at once where Kinesis does not take it. */
class TestDeadline extends DrainDeadline {
  readonly #isTaken: () => boolean;

  constructor(isTaken: () => boolean) {
    super();
    this.#isTaken = isTaken;
  }

  override reportLoss(): AbortSignal {
    return AbortSignal.timeout(this.#isTaken() ? 15_000 : 20);
  }
}

interface Task {
  readonly pool: SessionPool;
  readonly parts: SessionParts;
  readonly deadline: DrainDeadline;
  client(): Promise<MemoryClient>;
  close(): Promise<void>;
}

/** A task with producers of its own over the two streams. */
async function startTask(taskId: string, streams: TwoStreams, hasSpool: boolean): Promise<Task> {
  const producers = await Promise.all(
    (['media', 'events'] as const).map(async (streamName) => {
      const spool = hasSpool
        ? {
            spool: await openSpool({
              directory: join(directory, taskId, streamName),
              maxBytes: 1e6,
            }),
          }
        : {};
      return new Producer({
        ...spool,
        client: { putRecords: (_name, entries) => streams.put(streamName, entries) },
        streamName,
        aggregate: streamName === 'media',
        retry: { baseMs: 5, maxMs: 10 },
        // Some lines and frames fit into memory, so that a disk is used where there is one.
        ...(hasSpool && { memory: { ...SMALL, floorBytes: 0 } }),
      });
    }),
  );
  const [media, events] = producers as [Producer, Producer];
  const parts = new SessionParts();
  const deadline = new TestDeadline(() => !streams.away.has('events'));
  const { logger, metrics } = parts.told;
  const pool = new SessionPool({
    context: parts.context({ taskId, media, events, deadline }),
    store: table.store,
    heartbeat: { term: 1, holds: () => true },
    isExpired: () => false,
    confirmDeath: async () => ({}),
    isOverdue: () => false,
    capacity: 2,
    sessionSlots: 1,
    yields: () => false,
    pressure: () => ({ eventLoopDelayMs: 1, memoryShare: 0.1 }),
    notify: async () => {},
    onBusy: () => {},
    logger,
    metrics,
  });
  return {
    pool,
    parts,
    deadline,
    client: () => waitUntil(() => parts.clients.at(-1), { interval: 1 }),
    async close() {
      await Promise.all(producers.map((producer) => producer.close(AbortSignal.abort())));
    },
  };
}

const stopped = (stopReason: number) =>
  ({ cause: 'stopped', stopReason, restartable: false }) as const;

/** Everything that ends an epoch in an orderly way. */
const ENDINGS = {
  drain: async ({ pool }) => {
    pool.close('shutdown');
    void pool.handOverAll();
  },
  'stop of Zoom': async (task) => {
    (await task.client()).emit('ended', stopped(STOP_REASON.MEETING_ENDED));
  },
  'stop in the row': async ({ pool }, rtmsStreamId) => {
    await table.start(rtmsStreamId, {
      ...(await table.row(rtmsStreamId)),
      stopEventTsMs: START_MS + 1,
      stopReason: STOP_REASON.MEETING_ENDED,
    });
    await pool.reconcile();
  },
  revocation: async (task, rtmsStreamId) => {
    await table.start(rtmsStreamId, {
      ...(await table.row(rtmsStreamId)),
      stopEventTsMs: START_MS + 1,
      stopReason: STOP_REASON.STREAM_REVOKED,
    });
    await task.pool.reconcile();
  },
  'stop of an operator': async ({ pool }, rtmsStreamId) => {
    await table.start(rtmsStreamId, {
      ...(await table.row(rtmsStreamId)),
      ...({ operatorWish: 'stop' } as object),
    });
    await pool.reconcile();
  },
  'lost connection': async (task) => {
    (await task.client()).emit('ended', { cause: 'lost', restartable: true });
  },
} satisfies Record<string, (task: Task, rtmsStreamId: string) => Promise<void>>;

type Ending = keyof typeof ENDINGS;
const AWAY: readonly (readonly StreamName[])[] = [[], ['media'], ['events'], ['media', 'events']];

const CASES = (Object.keys(ENDINGS) as Ending[]).flatMap((ending) =>
  AWAY.flatMap((away) =>
    [true, false].map((hasSpool) => ({
      ending,
      away,
      hasSpool,
      words: `${away.join(' and ') || 'nothing'} away, ${hasSpool ? 'with' : 'without'} a disk`,
    })),
  ),
);

test.concurrent.each(CASES)('$ending, $words', async ({ ending, away, hasSpool }) => {
  const rtmsStreamId = `${ending} ${away.join()} ${hasSpool}`;
  const owner = `${hasSpool ? 'catcher' : 'task'}-${rtmsStreamId}`;
  const streams = new TwoStreams();
  await table.start(rtmsStreamId, { startEventTsMs: START_MS });
  const first = await startTask(owner, streams, hasSpool);
  expect(await first.pool.offer(rtmsStreamId)).toBe('done');
  const client = await first.client();
  client.emit('joined', MEDIA, []);
  const name = (epoch: number) => (event: ReceivedEvent) => event.epoch === epoch && event.name;
  const namesOf = (epoch: number) => streams.events.map(name(epoch)).filter((is) => is !== false);
  await waitUntil(() => namesOf(1).includes('session_started'), { interval: 1 });
  await waitUntil(async () => (await table.row(rtmsStreamId)).connectedEpoch, { interval: 2 });
  for (const stream of away) streams.away.add(stream);
  const fromMs = Date.now() - 20 * FRAMES;
  for (let index = 0; index < FRAMES; index += 1) {
    client.emit('frame', { ...AUDIO_FRAME, capturedAtMs: fromMs + 20 * index });
  }
  await ENDINGS[ending](first, rtmsStreamId);
  // Kinesis is away until the flush deadline, which a second signal moves to now.
  if (away.length > 0) {
    first.deadline.signalled(() => {});
    first.deadline.signalled(() => {});
  }
  await waitUntil(() => first.pool.sessions.length === 0, { interval: 2 });
  await first.close();

  const isTold = !away.includes('events');
  const row = await table.row(rtmsStreamId);
  // A hand-over and an end are in the row exactly where the records have them, and nobody keeps it.
  expect(row.owner ?? UNOWNED).toBe(UNOWNED);
  expect(row.endedReason !== undefined || row.handedOverBy !== undefined).toBe(isTold);
  const last = ending === 'drain' ? 'session_handed_over' : 'session_ended';
  expect(namesOf(1).includes(last)).toBe(isTold);

  // Kinesis is back, and the next owner goes on.
  streams.away.clear();
  const next = await startTask(`${owner}-next`, streams, false);
  expect(await next.pool.offer(rtmsStreamId)).toBe('done');
  const hasStopped = ending === 'stop in the row' || ending === 'revocation';
  const isWanted = ending === 'drain' || !(isTold || hasStopped);
  if (isWanted) {
    const client = await next.client();
    client.emit('joined', MEDIA, []);
    // An owner that is connected for some milliseconds and gets no audio may have missed what Zoom had kept.
    client.emit('frame', { ...AUDIO_FRAME, capturedAtMs: Date.now() });
    client.emit('ended', stopped(STOP_REASON.MEETING_ENDED));
  }
  await waitUntil(() => next.pool.sessions.length === 0, { interval: 2 });
  await next.close();
  const taken = streams.events.find((event) => event.name === 'session_taken_over');
  const cause = isTold ? (ending === 'drain' ? 'handed_over' : undefined) : 'owner_lost';
  expect(taken?.name === 'session_taken_over' ? taken.data.cause : undefined).toBe(cause);
  expect((await table.row(rtmsStreamId)).owner).toBeUndefined();
  if (ending === 'revocation') {
    // Whoever has stored the media is told to delete it, by the first owner or the next.
    expect(streams.events.some((event) => event.name === 'session_revoked')).toBe(true);
  }
  // Nothing contradicts what readers learn, and what is lost is among it. What Zoom took back is no loss.
  const { verdict } = streams.report;
  expect(verdict).not.toBe('contradictory');
  if (away.length === 0) expect(verdict).toBe('complete');
  else if (away.includes('media') && ending !== 'revocation') expect(verdict).toBe('incomplete');
});
