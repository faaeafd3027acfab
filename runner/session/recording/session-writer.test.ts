import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { MediaFrame } from '../../../rtms/events.ts';
import type { AgreedMedia } from '../../../rtms/protocol/agreed-media.ts';
import { MemoryPool } from '../../../shared/memory-pool.ts';
import { NO_METRICS } from '../../../shared/metrics.ts';
import { decodeMediaRecord } from '../../../shared/record/decode-media-record.ts';
import { MemorySink } from '../../../test/support/session/memory-sink.ts';
import { SessionWriter } from './session-writer.ts';
import { FrameUnits } from './source-writer.ts';

const AT = 1_738_392_033_699;
const MEDIA: AgreedMedia = {
  audio: { contentType: 2, codec: 1, sampleRate: 1, channel: 1, dataOpt: 2, sendRateMs: 20 },
  video: { contentType: 3, codec: 7, resolution: 2, fps: 25, dataOpt: 3 },
};
const FRAME: MediaFrame = {
  mediaType: 'audio',
  userId: 7,
  userName: 'Ada',
  capturedAtMs: AT,
  receivedAtMs: AT + 100,
  codec: 1,
  payload: Buffer.from('frame'),
};

let media: MemorySink;
let events: MemorySink;
let mayWrite: boolean;
let writer: SessionWriter;
const never = new AbortController().signal;

beforeEach(() => {
  [media, events, mayWrite] = [new MemorySink(), new MemorySink(), true];
  writer = new SessionWriter({
    origin: { rtmsStreamId: 's', epoch: 2, product: 'meeting', entityId: 'e' },
    media,
    events,
    maxRecordBytes: 1000,
    maxLineBytes: 2_000,
    metrics: NO_METRICS,
    rest: { heldMs: 180 },
    units: new FrameUnits(new MemoryPool()),
    mayWrite: () => mayWrite,
  });
});

test('the ledger waits for the gap events of frames that were lost while media was flushed', async () => {
  vi.useFakeTimers();
  try {
    // The lines are done at once; the media takes longer, and loses what it has.
    media.flush = async () => {
      media.finish('spool_full');
      await vi.advanceTimersByTimeAsync(2_000);
    };
    writer.frame(FRAME, MEDIA);
    await writer.flush(never);
    await writer.finish('session_ended', AT, { restartable: false }, never);
  } finally {
    vi.useRealTimers();
  }
  const [gap, end] = events.lines;
  expect([gap?.type, end?.type]).toEqual(['rtms.gap.v1', 'rtms.session_ended.v1']);
  expect(end?.data['ledger']).toContainEqual({
    mediaType: 'events',
    received: 1,
    written: 1,
    lost: 0,
  });
});

describe('frames', () => {
  test('carry their stream, epoch, source and shape', () => {
    writer.frame(FRAME, MEDIA);
    const record = decodeMediaRecord(media.units[0]?.records[0] as Uint8Array);
    expect(record).toMatchObject({
      rtmsStreamId: 's',
      epoch: 2,
      sequence: 1,
      mediaType: 1,
      userId: 7,
      userName: 'Ada',
      capturedAtMs: AT,
      receivedAtMs: AT + 100,
      codec: 1,
      sampleRateHz: 16_000,
      channels: 1,
    });
    expect(record.payload.toString()).toBe('frame');
    expect(media.units[0]?.heldMs).toBe(180);
  });

  test('of more sources than any meeting has are a gap that names nobody', async () => {
    const sources = 5_000;
    for (let userId = 1; userId <= sources; userId++) writer.frame({ ...FRAME, userId }, MEDIA);
    writer.frame({ ...FRAME, userId: 1 }, MEDIA);
    const written = media.units.length;
    expect(written).toBeLessThan(4_100);
    await writer.flush(never);
    const lost = sources + 1 - written;
    const gap = events.lines.find(({ type }) => type === 'rtms.gap.v1')?.data;
    expect(gap).toMatchObject({
      mediaType: 'audio',
      count: lost,
      bytes: lost * FRAME.payload.length,
      cause: 'malformed',
    });
    expect(gap).not.toHaveProperty('userId');
  });

  test('between broken ones without end are lost with them, in a bounded number of gaps', async () => {
    const rounds = 5_000;
    for (let round = 0; round < rounds; round += 1) {
      writer.malformed({ mediaType: 'audio', userId: FRAME.userId, payloadBytes: 10 });
      writer.frame(FRAME, MEDIA);
    }
    const written = media.units.length;
    await writer.flush(never);
    const gaps = events.lines.filter(({ type }) => type === 'rtms.gap.v1');
    expect(gaps.length).toBeLessThan(1_100);
    const lost = gaps.reduce((sum, { data }) => sum + Number(data['count']), 0);
    expect(lost).toBe(2 * rounds - written);
    expect(writer.ledger.hasGaps).toBe(false);
  });

  test('are numbered per source, and keyed so that each source keeps its order', () => {
    const video = { ...FRAME, mediaType: 'video', codec: 7 } as const;
    const { userId: _, ...rest } = FRAME;
    writer.frame(FRAME, MEDIA);
    writer.frame({ ...FRAME, userId: 8 }, MEDIA);
    writer.frame(FRAME, MEDIA);
    writer.frame(video, MEDIA);
    writer.frame({ ...video, ...rest, mediaType: 'video', channelId: 'c' }, MEDIA);
    writer.frame({ ...rest, channelId: 'c' }, MEDIA);
    expect(media.units.map(({ partitionKey, sequence }) => [partitionKey, sequence])).toEqual([
      ['s', 1],
      ['s', 1],
      ['s', 2],
      ['s#v#7', 1],
      ['s#v#c', 1],
      ['s', 1],
    ]);
  });

  test('larger than a record are cut into chunks with one number', () => {
    writer.frame({ ...FRAME, payload: Buffer.alloc(2_500, 1) }, MEDIA);
    const records = media.units[0]?.records ?? [];
    expect(records.length).toBeGreaterThan(2);
    for (const record of records) {
      expect(record.length + 1).toBeLessThanOrEqual(1000);
      expect(decodeMediaRecord(record).sequence).toBe(1);
    }
  });

  test('that no record can hold are lost as malformed', async () => {
    writer.frame({ ...FRAME, capturedAtMs: Number.NaN }, MEDIA);
    writer.frame(FRAME, MEDIA);
    await writer.flush(never);
    expect(events.lines[0]).toMatchObject({
      type: 'rtms.gap.v1',
      data: { mediaType: 'audio', userId: 7, fromSequence: 1, toSequence: 1, cause: 'malformed' },
    });
  });

  test('leave no trace when another may own the stream', () => {
    mayWrite = false;
    writer.frame(FRAME, MEDIA);
    writer.event('first_packet', AT, { timestampMs: AT });
    expect(media.units).toEqual([]);
    expect(events.units).toEqual([]);
    expect(writer.ledger.outstanding).toBe(0);
  });
});

describe('losses', () => {
  test('are told in gaps', async () => {
    writer.frame(FRAME, MEDIA);
    writer.frame(FRAME, MEDIA);
    media.finish('spool_full');
    await writer.flush(never);
    expect(events.lines).toMatchObject([
      {
        type: 'rtms.gap.v1',
        data: {
          mediaType: 'audio',
          userId: 7,
          fromSequence: 1,
          toSequence: 2,
          count: 2,
          bytes: 10,
          fromMs: AT,
          toMs: AT,
          cause: 'spool_full',
        },
      },
    ]);
  });

  test('are told a second later while the session goes on', () => {
    vi.useFakeTimers();
    try {
      writer.frame(FRAME, MEDIA);
      media.finish('buffer_full');
      vi.advanceTimersByTime(999);
      expect(events.units).toHaveLength(0);
      vi.advanceTimersByTime(1);
      expect(events.units).toHaveLength(1);
    } finally {
      vi.useRealTimers();
    }
  });

  test('are told again when the gap event itself is lost', async () => {
    writer.frame(FRAME, MEDIA);
    media.finish('spool_full');
    events.fate = 'spool_full';
    const flushed = writer.flush(never);
    events.fate = 'written';
    await flushed;
    const told = events.lines.filter(({ data }) => data['mediaType'] === 'audio');
    expect(told).toHaveLength(2);
    const row = writer.ledger.rows().find(({ mediaType }) => mediaType === 'events');
    expect(row?.received).toBe((row?.written ?? 0) + (row?.lost ?? 0));
  });

  test('of lines name the line numbers', async () => {
    writer.malformed({ mediaType: 'transcript', userId: 7 });
    writer.event('first_packet', AT, { timestampMs: AT });
    await writer.flush(never);
    expect(events.lines.map(({ sequence, type }) => [sequence, type])).toEqual([
      [2, 'rtms.first_packet.v1'],
      [3, 'rtms.gap.v1'],
    ]);
    expect(events.lines[1]?.data).toMatchObject({ mediaType: 'transcript', fromSequence: 1 });
  });
});

test('the last event carries the ledger of everything before it', async () => {
  writer.event('session_paused', AT, { timestampMs: AT });
  writer.frame(FRAME, MEDIA);
  await writer.flush(never);
  await writer.finish('session_ended', AT, { restartable: false }, never);
  const none = { received: 0, written: 0, lost: 0 };
  const one = { received: 1, written: 1, lost: 0 };
  const ledger = [
    { mediaType: 'transcript', ...none },
    { mediaType: 'chat', ...none },
    { mediaType: 'events', ...one },
    { mediaType: 'audio', userId: 7, ...one },
  ];
  expect(events.lines.at(-1)).toMatchObject({
    type: 'rtms.session_ended.v1',
    sequence: 2,
    data: { restartable: false, ledger },
  });
  writer.event('first_packet', AT, { timestampMs: AT });
  expect(events.units).toEqual([]);
});

test('a last event that could not be written in time is written again', async () => {
  vi.spyOn(events, 'flush').mockRejectedValueOnce(new Error('the flush deadline'));
  const finish = () => writer.finish('session_ended', AT, { restartable: false }, never);
  await expect(finish()).rejects.toThrow('the flush deadline');
  writer.drop('write_failed');
  await writer.flush(never);
  await finish();
  expect(events.lines.at(-1)?.data['ledger']).toContainEqual({
    mediaType: 'events',
    received: 2,
    written: 1,
    lost: 1,
  });
  expect(events.lines.map(({ type }) => type)).toEqual([
    'rtms.session_ended.v1',
    'rtms.gap.v1',
    'rtms.session_ended.v1',
  ]);
});

test('a last event that the producer drops is no last event', async () => {
  events.fate = 'buffer_full';
  const finish = () => writer.finish('session_ended', AT, { restartable: false }, never);
  await expect(finish()).rejects.toThrow('session_ended was lost');
  expect(writer.isRecorded('session_ended')).toBe(false);
  events.fate = 'written';
  await writer.flush(never);
  await finish();
  expect(writer.isRecorded('session_ended')).toBe(true);
});

test('a session whose gap events are lost again and again has not accounted for its losses', async () => {
  writer.frame(FRAME, MEDIA);
  media.finish('spool_full');
  events.fate = 'buffer_full';
  await expect(writer.flush(never)).rejects.toThrow('losses stand in no gap event');
  events.fate = 'written';
  await writer.flush(never);
});

describe('a webinar that opens', () => {
  const join = (userId: number) =>
    writer.event('participant_joined', AT, { participants: [{ userId }], timestampMs: AT });
  const say = (text: string) =>
    writer.event('transcript', AT, { text, userId: 7, timestampMs: AT });

  test('makes no transcript wait, and numbers lines as they leave', () => {
    for (let userId = 1; userId <= 2_000; userId += 1) join(userId);
    const ahead = events.units.length;
    expect(ahead).toBeLessThan(700);
    say('in time');
    expect(events.lines.at(-1)).toMatchObject({ sequence: ahead + 1, data: { text: 'in time' } });
    while (events.units.length > 0) events.finish('written');
    expect(events.lines.map(({ sequence }) => sequence)).toEqual(
      Array.from({ length: 2_001 }, (_, at) => at + 1),
    );
    const joined = events.lines.filter(({ type }) => type === 'rtms.participant_joined.v1');
    expect(joined.map(({ data }) => data['participants'])).toEqual(
      Array.from({ length: 2_000 }, (_, at) => [{ userId: at + 1 }]),
    );
  });

  test('keeps a bounded part of its lines here; the others go where a disk is behind them', () => {
    for (let userId = 1; userId <= 40_000; userId += 1) join(userId);
    expect(40_000 - events.units.length).toBeLessThan(30_000);
  });

  test('is written whole, and accounted for, when the session ends', async () => {
    for (let userId = 1; userId <= 2_000; userId += 1) join(userId);
    await writer.flush(never);
    await writer.finish('session_ended', AT, { restartable: false }, never);
    expect(events.lines.at(-1)?.type).toBe('rtms.session_ended.v1');
    expect(events.lines.at(-1)?.data['ledger']).toContainEqual({
      mediaType: 'events',
      received: 2_000,
      written: 2_000,
      lost: 0,
    });
  });

  test('is told line by line as lost when it has to be dropped', async () => {
    for (let userId = 1; userId <= 2_000; userId += 1) join(userId);
    writer.drop('write_failed');
    expect(writer.ledger.outstanding).toBe(0);
    await writer.flush(never);
    const gaps = events.lines.filter(({ type }) => type === 'rtms.gap.v1');
    expect(gaps.reduce((sum, { data }) => sum + (data['count'] as number), 0)).toBe(2_000);
  });
});

describe('what no record can hold', () => {
  const participants = Array.from({ length: 200 }, (_, userId) => ({
    userId,
    userName: 'ü'.repeat(9),
  }));

  test('a roster is told in several events of one name, cheaper than text', () => {
    writer.event('participant_joined', AT, { participants, timestampMs: AT });
    expect(new Set(events.units.map((unit) => unit.class))).toEqual(new Set(['crowd']));
    expect(events.lines.length).toBeGreaterThan(3);
    for (const { records } of events.units) expect(records[0]?.length).toBeLessThan(2_000);
    expect(events.lines.flatMap(({ data }) => data['participants'])).toEqual(participants);
  });

  test('anything else is lost as malformed, by its number', async () => {
    writer.event('other', AT, { raw: { text: 'x'.repeat(3_000) } });
    writer.event('participant_left', AT, {
      participants: [{ userId: 1 }, { userId: 2, userName: 'x'.repeat(3_000) }],
      timestampMs: AT,
    });
    await writer.flush(never);
    expect(events.lines).toMatchObject([
      { type: 'rtms.participant_left.v1', sequence: 2, data: { participants: [{ userId: 1 }] } },
      { type: 'rtms.gap.v1', data: { fromSequence: 1, toSequence: 1, cause: 'malformed' } },
      { type: 'rtms.gap.v1', data: { fromSequence: 3, toSequence: 3, cause: 'malformed' } },
    ]);
  });

  test('a ledger is told in pages, again when one of them is lost', async () => {
    for (let userId = 1; userId <= 100; userId += 1) writer.frame({ ...FRAME, userId }, MEDIA);
    await writer.flush(never);
    events.fate = 'spool_full';
    const finished = writer.finish('session_ended', AT, { restartable: false }, never);
    events.fate = 'written';
    await finished;
    const ended = events.lines.at(-1);
    const pages = events.lines.filter(({ type }) => type === 'rtms.session_ledger.v1');
    const told = ended?.data['ledgerPages'] as number;
    expect(told).toBeGreaterThan(3);
    expect(pages).toHaveLength(2 * told);
    expect(pages.slice(told).map(({ data }) => data['page'])).toEqual(
      Array.from({ length: told }, (_, at) => at + 1),
    );
    expect(pages.slice(told).flatMap(({ data }) => data['ledger'])).toHaveLength(100);
    const last = ended?.data['ledger'] as { mediaType: string; received: number }[];
    expect(last.map(({ mediaType }) => mediaType)).toEqual(['transcript', 'chat', 'events']);
    expect(last[2]?.received).toBe((ended?.sequence ?? 0) - 1);
  });
});
