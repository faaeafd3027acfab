import { beforeEach, describe, expect, test } from 'vitest';
import type { AgreedMedia } from '../../rtms/protocol/agreed-media.ts';
import { MemoryPool } from '../../shared/memory-pool.ts';
import { decodeMediaRecord } from '../../shared/record/decode-media-record.ts';
import { MemoryClient } from '../../test/support/session/memory-client.ts';
import {
  SESSION_AT_MS as AT,
  AUDIO_FRAME as FRAME,
} from '../../test/support/session/one-session.ts';
import { SessionParts } from '../../test/support/session/session-parts.ts';
import { SessionGuard } from './guard.ts';
import { SessionWriter } from './recording/session-writer.ts';
import { FrameUnits } from './recording/source-writer.ts';
import { relay } from './relay.ts';

const AUDIO = { contentType: 2, codec: 1, channel: 1, dataOpt: 2, sendRateMs: 20 };
const MEDIA: AgreedMedia = { audio: { ...AUDIO, sampleRate: 1 }, chat: { contentType: 5 } };

let parts: SessionParts;
let client: MemoryClient;
/** What the session was told. */
let told: unknown[][];
let defects: number;
let keptSinceMs: number;
beforeEach(() => {
  parts = new SessionParts();
  client = new MemoryClient();
  [told, defects, keptSinceMs] = [[], 0, Date.now()];
  const { logger, metrics } = parts.told;
  const { media, events } = parts;
  const writer = new SessionWriter({
    origin: { rtmsStreamId: 's', epoch: 1, product: 'meeting', entityId: 'e' },
    media,
    events,
    maxRecordBytes: 10_000,
    maxLineBytes: 10_000,
    metrics,
    rest: { heldMs: 0 },
    units: new FrameUnits(new MemoryPool()),
    mayWrite: () => true,
  });
  const note =
    (name: string) =>
    (...values: unknown[]) =>
      void told.push([name, ...values]);
  const session = {
    joined: note('joined'),
    firstFrame: note('first frame'),
    paused: note('paused'),
    resumed: note('resumed'),
    interrupted: note('interrupted'),
    reconnected: note('reconnected'),
    ended: note('ended'),
  };
  const guard = new SessionGuard({ logger, metrics, onDefect: () => (defects += 1) });
  relay(client, writer, session, { logger, metrics, guard, audioKeptSinceMs: () => keptSinceMs });
});

const lastData = () => parts.events.lines.at(-1)?.data;

test('the session hears of the first frame, and of no other', () => {
  client.emit('frame', FRAME);
  client.emit('frame', FRAME);
  expect(told).toEqual([['first frame']]);
  expect(parts.media.units).toHaveLength(2);
});

test('a frame is recorded with what its connection agreed on last', () => {
  client.emit('joined', MEDIA, []);
  client.emit('frame', FRAME);
  const after = { audio: { ...AUDIO, sampleRate: 3 } };
  const info = { cause: 'watchdog', attempt: 1, durationMs: 100 };
  client.emit('reconnected', { scope: 'audio', ...info, media: after });
  client.emit('frame', FRAME);
  const rates = parts.media.units.map(
    ({ records }) => decodeMediaRecord(records[0] as Uint8Array).sampleRateHz,
  );
  expect(rates).toEqual([16_000, 48_000]);
});

test('every line becomes an event of its own', () => {
  client.emit('transcript', { text: 'hello', userName: '', timestampMs: AT });
  client.emit('chat', { text: 'hello', timestampMs: AT });
  client.emit('event', { name: 'sharing_stopped', timestampMs: AT }, {});
  client.emit('sessionState', { rtmsSessionId: 'r', state: 1, timestampMs: AT });
  client.emit('paused', AT);
  client.emit('resumed', AT);
  client.emit('other', { msg_type: 99 });
  expect(parts.eventNames).toEqual([
    'transcript',
    'chat',
    'sharing_stopped',
    'session_state',
    'session_paused',
    'session_resumed',
    'other',
  ]);
  expect(told).toEqual([['paused'], ['resumed']]);
  expect(parts.told.counts).toEqual(['UnknownMessages']);
});

describe('a connection', () => {
  const info = { cause: 'watchdog', attempt: 1, durationMs: 100, media: {} };

  test('that is lost and back is told to the session, with the time that nobody saw', () => {
    client.emit('joined', MEDIA, []);
    client.emit('interrupted', { scope: 'signaling', cause: 'watchdog' });
    client.emit('reconnected', { scope: 'signaling', ...info });
    expect(told.map(([name]) => name)).toEqual(['joined', 'interrupted', 'reconnected']);
    expect(parts.eventNames).toEqual(['session_interrupted', 'session_reconnected']);
    expect(lastData()?.['blind']).toMatchObject([{ mediaType: 'chat' }]);
    expect(parts.told.counts).toEqual(['Reconnects/signaling']);
  });

  test('that was gone before that was noticed is told with that time', () => {
    client.emit('joined', MEDIA, []);
    client.emit('interrupted', { scope: 'chat', cause: 'watchdog', durationMs: 12_000 });
    expect(lastData()).toMatchObject({ scope: 'chat', attempt: 0, durationMs: 12_000 });
    client.emit('interrupted', { scope: 'chat', cause: 'watchdog' });
    expect(lastData()).toMatchObject({ scope: 'chat', attempt: 0, durationMs: 0 });
  });

  test('that breaks before Zoom has sent what it kept for it leaves audio missing since before it was there', () => {
    keptSinceMs = Date.now() - 100_000;
    client.emit('joined', MEDIA, []);
    client.emit('interrupted', { scope: 'audio', cause: 'watchdog' });
    client.emit('reconnected', { scope: 'audio', ...info });
    expect(lastData()?.['blind']).toMatchObject([{ mediaType: 'audio', fromMs: keptSinceMs }]);
  });

  test('that breaks when the kept audio has come leaves none missing', () => {
    keptSinceMs = Date.now() - 100_000;
    client.emit('joined', MEDIA, []);
    client.emit('frame', { ...FRAME, capturedAtMs: Date.now() });
    client.emit('interrupted', { scope: 'audio', cause: 'watchdog' });
    client.emit('reconnected', { scope: 'audio', ...info });
    expect(lastData()?.['blind']).toEqual([]);
  });

  test('of one camera among several is an event, and nothing to the session', () => {
    client.emit('interrupted', { scope: 'video', userId: 7, cause: 'watchdog' });
    client.emit('reconnected', { scope: 'video', userId: 7, ...info });
    expect(told).toEqual([]);
    expect(parts.eventNames).toEqual(['session_interrupted', 'session_reconnected']);
  });
});

test('a message that cannot be read is counted as lost each time, and logged once', () => {
  const lost = { scope: 'audio', mediaType: 'audio', userId: 7, error: new Error('odd') } as const;
  client.emit('malformed', lost);
  client.emit('malformed', lost);
  expect(parts.told.events).toEqual(['malformed']);
  const count = (name: string) => parts.told.counts.filter((one) => one === name).length;
  expect(count('MalformedMessages/audio')).toBe(2);
  expect(count('FramesLost/malformed')).toBe(2);
});

test('media nobody asked for is counted each time, and logged once for each type', () => {
  for (const mediaType of ['audio', 'audio', 'video'] as const)
    client.emit('unasked', { mediaType });
  expect(parts.told.events).toEqual(['unasked', 'unasked']);
  expect(parts.told.counts).toHaveLength(3);
});

test('a listener that breaks does not reach the client', () => {
  parts.media.put = () => {
    throw new TypeError('a defect of ours');
  };
  client.emit('frame', FRAME);
  expect(defects).toBe(1);
});
