import { expect, test } from 'vitest';
import type { EventName, LedgerRow } from '../../../shared/record/event-data.ts';
import { eventBytes, mediaRecord, packed, START_MS } from '../../support/test-records.ts';
import { PlantedHistory } from './planted-history.ts';
import { judgeVerdicts } from './verdicts.ts';

const A = 'runner-1/1';
const AUDIO: LedgerRow = { mediaType: 'audio', userId: 7, received: 1, written: 1, lost: 0 };
const LINES: LedgerRow = { mediaType: 'events', received: 0, written: 0, lost: 0 };

/** A process that Zoom sends to from the beginning on. */
function connected(): PlantedHistory {
  const socket = { socket: 1, process: A, rtmsStreamId: 'stream-1', role: 'media' } as const;
  return new PlantedHistory().add('socket', { ...socket, what: 'dialled' });
}

/** A frame that Zoom sent. @param isWritten whether it is in Kinesis */
function frame(history: PlantedHistory, sequence: number, isWritten = true): PlantedHistory {
  const capturedAtMs = START_MS + (sequence - 1) * 20;
  history.frame({ rtmsStreamId: 'stream-1', capturedAtMs });
  if (!isWritten) return history;
  const { data } = packed([mediaRecord({ sequence })]);
  const unit = { rtmsStreamId: 'stream-1', sequence, capturedAtMs };
  return history.record(A, [unit], { data, partitionKey: 'stream-1' });
}

function ended(history: PlantedHistory, ledger: LedgerRow[]): PlantedHistory {
  const data = eventBytes(
    'session_ended',
    { restartable: false, stopReason: 6, ledger } as never,
    1,
  );
  const unit = { rtmsStreamId: 'stream-1', type: 'session_ended' };
  return history.record(A, [unit], { data, stream: 'events', partitionKey: 'stream-1#e' });
}

const words = (history: PlantedHistory, isCalm?: boolean) =>
  judgeVerdicts(history.events, isCalm).map((found) => found.words);

test('a stream that is whole is called so', () => {
  expect(words(ended(frame(connected(), 1), [AUDIO, LINES]), true)).toEqual([]);
});

test('counts that do not agree are found', () => {
  const history = ended(frame(new PlantedHistory(), 1), [{ ...AUDIO, received: 5 }, LINES]);
  expect(words(history)[0]).toMatch(/^rtms verify of stream-1 says contradictory: /);
});

test('a verdict of complete is found where a lost owner took a frame with it', () => {
  const history = new PlantedHistory().claim(A, 'stream-1');
  history.add('socket', {
    socket: 1,
    process: 'runner-0/1',
    rtmsStreamId: 'stream-1',
    role: 'media',
    what: 'dialled',
  });
  frame(history, 1);
  // The other process had claimed the stream, and was killed.
  history.claim('runner-0/1', 'stream-1');
  history.frame({ rtmsStreamId: 'stream-1', capturedAtMs: START_MS + 900 });
  history.wait(60_000).add('process', { process: 'runner-0/1', what: 'killed' });
  expect(words(ended(history, [AUDIO, LINES]))).toEqual([
    `rtms verify of stream-1 says complete, and audio of 7 at ${START_MS + 900} is missing (owner_lost)`,
  ]);
});

test.each([
  ['an operator’s stop is nobody’s, though a lost owner was still connected', 20, 0],
  ['an end of Zoom’s is not excused by that', 6, 1],
])('a frame that was sent after %s', (_what, endedReason, problems) => {
  const history = new PlantedHistory().claim(A, 'stream-1');
  const socket = { socket: 1, rtmsStreamId: 'stream-1', role: 'media' } as const;
  history.add('socket', { ...socket, process: 'runner-0/1', what: 'dialled' });
  frame(history, 1);
  history.claim('runner-0/1', 'stream-1').claim(A, 'stream-1');
  const names = { '#owner': 'owner', '#reason': 'endedReason', '#at': 'endedAtMs' };
  const values = { ':reason': endedReason, ':at': history.nowMs };
  const update = 'SET #reason = :reason, #at = :at REMOVE #owner';
  history.write(A, 'SESSION#stream-1', { update, names, values }).apply().answer();
  history.wait(5_000).frame({ rtmsStreamId: 'stream-1', capturedAtMs: START_MS + 5_000 });
  history.wait(60_000);
  expect(words(ended(history, [AUDIO, LINES]))).toHaveLength(problems);
});

/** A record of the events stream, of epoch 1 unless said otherwise. */
function written(
  history: PlantedHistory,
  process: string,
  name: EventName,
  sequence: number,
  data: object,
  epoch = 1,
): PlantedHistory {
  const bytes = eventBytes(name, data as never, sequence, { epoch, timeMs: START_MS });
  const unit = { rtmsStreamId: 'stream-1', epoch, sequence, type: name, source: '' };
  return history.record(process, [{ ...unit, data: { ...data } }], {
    data: bytes,
    stream: 'events',
    partitionKey: 'stream-1',
  });
}

test.each([
  ['of a stream that is named as revoked is no loss', true, 0],
  ['is found where the stream is not named', false, 1],
])('a frame that was dropped because Zoom took it back %s', (_what, isNamed, problems) => {
  const history = frame(frame(connected(), 1), 2, false);
  const at = START_MS + 20;
  const gap = {
    mediaType: 'audio',
    userId: 7,
    fromSequence: 2,
    toSequence: 2,
    count: 1,
    bytes: 1,
    fromMs: at,
    toMs: at,
    cause: 'revoked',
  };
  const stream = { rtmsStreamId: 'stream-1', entityId: 'room', what: 'stopped' } as const;
  history.add('stream', { ...stream, stopReason: 8 });
  written(history, A, 'gap', 1, gap);
  if (isNamed) written(history, A, 'session_revoked', 2, { timestampMs: at });
  expect(words(history)).toHaveLength(problems);
});

/**
 * A receives a stream and writes a line of the transcript. Two more come 30 s later, in an outage; A is killed with them at 60 s, and B
 * receives the stream from 75 s on.
 *
 * @param wroteUntilS what the heartbeat of A said, s after the beginning
 * @param isRead whether the two lines were written after all
 */
function killedInOutage(wroteUntilS: number, isRead = false): PlantedHistory {
  const B = 'runner-2/1';
  const at = (seconds: number) => START_MS + seconds * 1_000;
  const history = new PlantedHistory().wait(START_MS - 1_000_000).claim(A, 'stream-1');
  const socket = { rtmsStreamId: 'stream-1', role: 'media', what: 'dialled' } as const;
  history.add('socket', { ...socket, socket: 1, process: A });
  const started = (atMs: number) => ({
    product: 'meeting',
    entityId: 'e',
    media: { transcript: {} },
    requestedAtMs: START_MS,
    claimedAtMs: atMs,
    streamingAtMs: atMs,
  });
  const say = (text: string) =>
    history.add('line', {
      rtmsStreamId: 'stream-1',
      source: '7',
      text,
      capturedAtMs: history.nowMs,
      socket: 1,
    });
  written(history, A, 'session_started', 1, started(START_MS));
  say('one');
  written(history, A, 'transcript', 2, { userId: 7, text: 'one', timestampMs: START_MS });
  history.wait(30_000);
  for (const [index, text] of ['two', 'three'].entries()) {
    say(text);
    const line = { userId: 7, text, timestampMs: history.nowMs };
    if (isRead) written(history, A, 'transcript', 3 + index, line);
  }
  history.wait(30_000).add('process', { process: A, what: 'killed' });
  history.add('socket', { ...socket, socket: 1, process: A, what: 'ended' });
  history.wait(15_000).claim(B, 'stream-1');
  const change = {
    previousEpoch: 1,
    cause: 'owner_lost',
    ownerSeenAtMs: at(58),
    ownerWroteUntilMs: at(wroteUntilS),
    blind: [{ mediaType: 'transcript', fromMs: at(58), toMs: at(75) }],
  };
  written(history, B, 'session_taken_over', 1, change, 2);
  return written(history, B, 'session_started', 2, started(at(75)), 2);
}

test('a line that a killed owner took with it is found where the verdict does not name its time', () => {
  const at = START_MS + 30_000;
  expect(words(killedInOutage(20))).toEqual([]);
  expect(words(killedInOutage(58, true))).toEqual([]);
  // Its heartbeat lied, so that readers take what came before it for written.
  expect(words(killedInOutage(58))).toEqual([
    `rtms verify of stream-1 says incomplete, and transcript of 7 at ${at} is missing (owner_lost), which it does not name`,
  ]);
});

test('a stream that is not whole is found where nothing could go wrong, and only there', () => {
  const lost = { ...AUDIO, received: 2, lost: 1 };
  const gap = eventBytes('gap', {
    mediaType: 'audio',
    userId: 7,
    fromSequence: 2,
    toSequence: 2,
    count: 1,
    bytes: 1,
    fromMs: START_MS,
    toMs: START_MS,
    cause: 'buffer_full',
  });
  const history = frame(connected(), 1);
  const unit = { rtmsStreamId: 'stream-1', type: 'gap' };
  history.record(A, [unit], { data: gap, stream: 'events', partitionKey: 'stream-1#e' });
  const data = eventBytes(
    'session_ended',
    { restartable: false, ledger: [lost, { ...LINES, received: 1, written: 1 }] } as never,
    2,
  );
  history.record(A, [{ ...unit, type: 'session_ended', sequence: 2 }], {
    data,
    stream: 'events',
    partitionKey: 'stream-1#e',
  });
  expect(words(history)).toEqual([]);
  expect(words(history, true)).toEqual([
    'rtms verify of stream-1 says incomplete, and nothing has gone wrong: buffer_full',
  ]);
});
