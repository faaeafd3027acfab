import { PutRecordCommand } from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { MediaRecord } from '../../../shared/record/media-record.ts';
import { countingRecords } from '../../../test/support/counting-speaker.ts';
import {
  count,
  expectSaid,
  framesOf,
  hear,
  numbers,
  stepByStep,
} from '../../../test/support/heard-lanes.ts';
import {
  type LocalStreams,
  splitShard,
  startLocalStreams,
} from '../../../test/support/local-streams.ts';
import {
  event,
  eventBytes,
  mediaRecord,
  packed,
  START_MS,
} from '../../../test/support/test-records.ts';
import { waitUntil } from '../../../test/support/wait.ts';
import type { ReceivedEvent } from '../records/event-record.ts';
import type { SpeakerLane } from './speaker-lane.ts';
import { speakers } from './speakers.ts';
import type { SpeechNotice } from './speech-notice.ts';

const LENGTH_MS = 10_000;
const said = count(30, 300);
const ada = (changes: Partial<MediaRecord> = {}) => countingRecords(said, LENGTH_MS, changes);
const ben = (changes: Partial<MediaRecord> = {}) => ada({ userId: 8, userName: 'Ben', ...changes });

const left = (userId: number, atMs: number) =>
  event('participant_left', { participants: [{ userId }], timestampMs: START_MS + atMs });
const joined = (userId: number, atMs: number) =>
  event('participant_joined', { participants: [{ userId }], timestampMs: START_MS + atMs });
const ended = (atMs: number, rtmsStreamId = 'stream-1') =>
  event('session_ended', { restartable: false, ledger: [] }, 2, {
    rtmsStreamId,
    timeMs: START_MS + atMs,
  });
const revoked = (rtmsStreamId = 'stream-1') =>
  event('session_revoked', { timestampMs: START_MS }, 3, { rtmsStreamId });

/** Records in the order of capture, with each event where the sound is so far. */
function meeting(
  records: readonly MediaRecord[],
  ...events: readonly [number, ReceivedEvent][]
): (MediaRecord | ReceivedEvent)[] {
  const steps = records.map((step) => ({ atMs: step.capturedAtMs - START_MS, step }));
  const all = [...events.map(([atMs, step]) => ({ atMs, step })), ...steps];
  return all.sort((a, b) => a.atMs - b.atMs).map(({ step }) => step);
}

async function hearAll(steps: (MediaRecord | ReceivedEvent)[]) {
  const { reader, events } = stepByStep(steps);
  const { lanes, notices } = await hear(reader, { events });
  const told = lanes.map(({ lane, blocks }) => ({
    who: `${lane.rtmsStreamId} ${lane.userId}`,
    ended: lane.ended,
    beginsMs: lane.joinedAtMs - START_MS,
    endsMs: (blocks.at(-1)?.endMs ?? START_MS) - START_MS,
    numbers: numbers(blocks),
  }));
  return { told, notices };
}

const until = (atMs: number) => said.filter((each) => each.atMs < atMs);

describe('a speaker who leaves', () => {
  // Their last sound is at 4 s, they leave at 5 s.
  const spoken = [...ada().slice(0, 200), ...ben()];
  test.each([
    ['before any sound was read', -1],
    ['while they speak', 2_000],
    ['when it has happened', 5_000],
    ['long after it', 9_000],
  ])('ends their lane at that moment, also when the event is read %s', async (_when, readAtMs) => {
    const { told } = await hearAll(meeting(spoken, [readAtMs, left(7, 5_000)]));
    expect(told[0]).toMatchObject({ who: 'stream-1 7', ended: 'left', beginsMs: 0 });
    const endsMs = told[0]?.endsMs ?? 0;
    // Silence was handed out meanwhile, up to 2 s behind the newest sound.
    if (readAtMs === 9_000) expect(Math.abs(endsMs - 7_000)).toBeLessThanOrEqual(100);
    else expect(endsMs).toBe(5_000);
    expectSaid(told[0]?.numbers ?? [], until(4_000));
    expect(told[1]).toMatchObject({ who: 'stream-1 8', ended: 'ended', endsMs: LENGTH_MS });
    expectSaid(told[1]?.numbers ?? [], said);
  });

  test('and comes back has another lane', async () => {
    const back = ada().filter((_, index) => index < 200 || index >= 400);
    const { told } = await hearAll(meeting([...back, ...ben()], [4_100, left(7, 4_000)]));
    expect(told.map(({ who, ended, beginsMs }) => [who, ended, beginsMs])).toEqual([
      ['stream-1 7', 'left', 0],
      ['stream-1 8', 'ended', 0],
      ['stream-1 7', 'ended', 8_000],
    ]);
  });

  // Gaps in which they are away, by index of frames of 20 ms, and the lanes that come of them.
  test.each([
    ['once, for a moment', [[50, 60]], [0, 1_200]],
    ['once, for a second', [[50, 105]], [0, 2_100]],
    [
      'three times',
      [
        [50, 60],
        [100, 110],
        [150, 160],
      ],
      [0, 1_200, 2_200, 3_200],
    ],
    [
      'twice, and for long',
      [
        [50, 200],
        [250, 400],
      ],
      [0, 4_000, 8_000],
    ],
  ] as const)('and comes back has a lane for each time: %s', async (_often, away, begins) => {
    const isAway = (index: number) => away.some(([from, to]) => index >= from && index < to);
    const heard = [...ada().filter((_, index) => !isAway(index)), ...ben()];
    const events = away.flatMap(([from, to]) => [left(7, from * 20 + 50), joined(7, to * 20 - 50)]);
    const [now, before] = await Promise.all(
      [0, 1].map(async (isKnownBefore) => {
        const timed = events.map((each): [number, ReceivedEvent] => {
          const { timestampMs } = each.data;
          return [isKnownBefore ? -1 : timestampMs - START_MS, each];
        });
        const { told } = await hearAll(meeting(heard, ...timed));
        return told.filter(({ who }) => who === 'stream-1 7');
      }),
    );
    for (const told of [now, before]) {
      expect(told?.map(({ beginsMs }) => beginsMs)).toEqual(begins);
      expect(told?.map(({ ended }) => ended)).toEqual([...away.map(() => 'left'), 'ended']);
      const ends = told?.slice(0, -1).map(({ endsMs }) => endsMs);
      expect(ends).toEqual(away.map(([from]) => from * 20 + 50));
    }
  });

  test('and was never heard, or leaves in the future, ends no lane', async () => {
    const steps = meeting(ada(), [1_000, left(99, 1_000)], [2_000, left(7, 1e9)]);
    const { told } = await hearAll(steps);
    expect(told.map(({ who, ended, endsMs }) => [who, ended, endsMs])).toEqual([
      ['stream-1 7', 'ended', LENGTH_MS],
    ]);
  });
});

test('the end of a session ends its lanes, and those of no other', async () => {
  const other = { rtmsStreamId: 'stream-2' };
  // A second run of the stream begins behind it.
  const records = [...ada().filter((_, index) => index < 250 || index >= 450), ...ben(other)];
  const { told } = await hearAll(meeting(records, [1_000, ended(5_500)], [1_000, left(7, 6_000)]));
  expect(told.map(({ who, ended, endsMs }) => [who, ended, endsMs])).toEqual([
    ['stream-1 7', 'ended', 5_500],
    ['stream-2 8', 'ended', LENGTH_MS],
    ['stream-1 7', 'ended', LENGTH_MS],
  ]);
});

describe('a consent that is taken back', () => {
  test('ends the lanes of its session at once, drops what they hold, and lets no more in', async () => {
    const records = [...ada(), ...ben({ rtmsStreamId: 'stream-2' })];
    const lanes: SpeakerLane[] = [];
    const notices: SpeechNotice[] = [];
    const steps = meeting(records, [5_000, revoked()]);
    const onNotice = (notice: SpeechNotice) => void notices.push(notice);
    let first: IteratorResult<unknown> | undefined;
    for await (const lane of speakers({ ...stepByStep(steps), onNotice })) {
      lanes.push(lane);
      if (lane.userId === 7) first = await lane.next();
    }
    expect(first?.done).toBe(false);
    const [revokedLane, other] = lanes as [SpeakerLane, SpeakerLane];
    expect(lanes).toHaveLength(2);
    expect(revokedLane.ended).toBe('revoked');
    expect(await revokedLane.next()).toEqual({ done: true, value: undefined });
    expect(notices).toEqual([expect.objectContaining({ kind: 'revoked', userId: 7 })]);
    expect(notices[0]?.lostMs).toBeCloseTo(4_980, 0);
    expect(other.ended).toBe('ended');
    expect((await other.next()).done).toBe(false);
  });

  test('drops what lanes hold that have ended, and lets a reading go on that waits for room', async () => {
    const records = [...ada().slice(0, 50), ...ben()];
    const lanes: SpeakerLane[] = [];
    const { reader, events } = stepByStep(
      meeting(records, [100, left(7, 1_000)], [9_000, revoked()]),
    );
    for await (const lane of speakers({ reader, events, bufferMs: 20_000 })) lanes.push(lane);
    expect(lanes.map((lane) => lane.ended)).toEqual(['revoked', 'revoked']);
    for (const lane of lanes) expect((await lane.next()).done).toBe(true);

    const waiting = Promise.withResolvers<void>();
    async function* later(): AsyncGenerator<ReceivedEvent> {
      await waiting.promise;
      yield revoked();
    }
    const full = speakers({
      reader: framesOf(ada()),
      events: later(),
      whenFull: 'wait',
      bufferMs: 1_000,
    });
    const { value: lane } = await full.next();
    waiting.resolve();
    // Nobody reads the lane, so without the event the reading would wait for ever.
    expect(await full.next()).toEqual({ done: true, value: undefined });
    expect(lane?.ended).toBe('revoked');
  });

  test('after the reading is over changes nothing', async () => {
    const { told } = await hearAll(meeting(ada(), [LENGTH_MS + 1, revoked()]));
    expect(told[0]?.ended).toBe('revoked');
  });
});

test('events that cannot be read fail the loop and the lanes', async () => {
  async function* broken(): AsyncGenerator<ReceivedEvent> {
    yield left(99, 0);
    throw new Error('the events are gone');
  }
  async function* endless() {
    yield* framesOf(ada().slice(0, 5));
    await new Promise(() => undefined);
  }
  const lanes: SpeakerLane[] = [];
  const all = async () => {
    for await (const lane of speakers({ reader: endless(), events: broken() })) lanes.push(lane);
  };
  await expect(all()).rejects.toThrow('the events are gone');
});

describe('readers of Kinesis', () => {
  let streams: LocalStreams;
  beforeAll(async () => {
    streams = await startLocalStreams();
  });
  afterAll(() => streams?.[Symbol.asyncDispose]());
  const put = (StreamName: string, Data: Uint8Array, PartitionKey = 'stream-1') =>
    streams.client.send(new PutRecordCommand({ StreamName, PartitionKey, Data }));

  test('what was revoked before is not handed out, and a lane in silence ends when its speaker has left', async () => {
    const [media, told] = [await streams.create(2), await streams.create()];
    const atMs = Date.now();
    const at = (index: number) => ({
      sequence: index + 1,
      capturedAtMs: atMs + index * 20,
      receivedAtMs: atMs + index * 20,
    });
    const say = async (rtmsStreamId: string, index: number) =>
      put(media, packed([mediaRecord({ rtmsStreamId, ...at(index) })]).data, rtmsStreamId);
    await put(
      told,
      eventBytes('session_revoked', { timestampMs: atMs }, 1, { rtmsStreamId: 'gone' }),
      'gone',
    );
    for (const index of [0, 1, 2]) for (const id of ['gone', 'stream-1']) await say(id, index);
    const stop = new AbortController();
    const { client } = streams;
    const both = { client, pollMs: 210, signal: stop.signal };
    const lanes: SpeakerLane[] = [];
    const reading = (async () => {
      const reader = { ...both, streamName: media };
      const events = { ...both, streamName: told };
      for await (const lane of speakers({ reader, events, latenessMs: 0 })) lanes.push(lane);
    })();
    await waitUntil(() => lanes.length > 0);
    await splitShard(client, media, 'shardId-000000000000', 2n ** 126n);
    const timestampMs = atMs + 60;
    const leaves = eventBytes('participant_left', { participants: [{ userId: 7 }], timestampMs });
    await put(told, leaves);
    await waitUntil(() => lanes[0]?.ended !== undefined);
    stop.abort();
    await reading;
    expect(lanes.map(({ rtmsStreamId, ended }) => [rtmsStreamId, ended])).toEqual([
      ['stream-1', 'left'],
    ]);
  });

  test.each(['reader', 'events'])('refuses checkpoints of %s', (name) => {
    const reader = { client: streams.client, streamName: 'media' };
    const checkpoints = { load: async () => undefined, save: async () => undefined };
    const options = { reader, events: reader, [name]: { ...reader, checkpoints } };
    expect(() => speakers(options)).toThrow('no checkpoints');
  });
});
