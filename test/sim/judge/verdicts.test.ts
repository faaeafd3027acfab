import { expect, test } from 'vitest';
import type { LedgerRow } from '../../../shared/record/event-data.ts';
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
