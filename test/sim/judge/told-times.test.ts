import { expect, test } from 'vitest';
import { PlantedHistory } from './planted-history.ts';
import type { Span } from './receptions.ts';
import { judgeToldTimes } from './told-times.ts';

const A = 'runner-1/1';
const SECOND_MS = 1_000;

/** A records 5 s, and nobody is connected for the 20 s after it; Zoom sends the audio of that time to nobody, and stops. */
function endedAfter20s() {
  const history = new PlantedHistory().claim(A, 's');
  const socket = { socket: 1, process: A, rtmsStreamId: 's', role: 'media' } as const;
  history.add('socket', { ...socket, what: 'dialled' });
  for (let second = 0; second < 5; second++) {
    history.wait(SECOND_MS).frame({ capturedAtMs: history.nowMs });
  }
  const leftAtMs = history.nowMs;
  history.add('socket', { ...socket, what: 'ended' });
  history.wait(20 * SECOND_MS);
  for (let second = 1; second < 20; second++) {
    history.frame({ capturedAtMs: leftAtMs + second * SECOND_MS, notSent: 'not_connected' });
  }
  history.add('stream', { rtmsStreamId: 's', entityId: 'e', what: 'stopped', stopReason: 6 });
  return { history, leftAtMs, stoppedAtMs: history.nowMs };
}

const words = (history: PlantedHistory, missing: Partial<Record<'audio' | 'transcript', Span>>) =>
  judgeToldTimes(history.events, (_stream, mediaType) => {
    const span = missing[mediaType];
    return span === undefined ? [] : [span];
  }).map((problem) => problem.words);

test('what a reader does not name is found, of each media type for itself', () => {
  const { history, leftAtMs: fromMs, stoppedAtMs: toMs } = endedAfter20s();
  const whole = { fromMs, toMs };
  expect(words(history, { audio: whole, transcript: whole })).toEqual([]);
  // Two seconds after the connection, and seven before the end, may be told otherwise.
  const times = `from ${fromMs + 3 * SECOND_MS} to ${fromMs + 12 * SECOND_MS}`;
  const lost = (mediaType: string) =>
    `nobody was connected to s ${times}, and no loss of ${mediaType} in rtms verify names 10 moments of that`;
  expect(words(history, { transcript: whole })).toEqual([lost('audio')]);
  expect(words(history, { audio: whole })).toEqual([lost('transcript')]);
});

test('a time that ends when an event had to be written is not the whole', () => {
  const { history, leftAtMs: fromMs, stoppedAtMs: toMs } = endedAfter20s();
  const part = { fromMs, toMs: fromMs + 4 * SECOND_MS };
  const [found] = words(history, { audio: { fromMs, toMs }, transcript: part });
  expect(found).toContain('no loss of transcript in rtms verify names 6 moments');
});

test('an interruption that a record tells is no loss until a reader says so', () => {
  const { history, leftAtMs: fromMs, stoppedAtMs: toMs } = endedAfter20s();
  history.record(A, [{ type: 'session_interrupted', source: '', data: {} }]);
  expect(words(history, { audio: { fromMs, toMs } })).toHaveLength(1);
});

test('what comes after an end without a reason of Zoom’s is nobody’s, from when its owner knew of it', () => {
  const { history, leftAtMs } = endedAfter20s();
  history.record(A, [{ type: 'session_ended', source: '', data: { leftAtMs } }]);
  expect(words(history, {})).toEqual([]);
});

test('of audio that Zoom kept and sent later, nothing is missing', () => {
  const { history, leftAtMs: fromMs, stoppedAtMs: toMs } = endedAfter20s();
  const kept = history.events.map((event) => {
    if (event.kind !== 'frame') return event;
    const { notSent: _, ...sent } = event;
    return sent;
  });
  const found = judgeToldTimes(kept, (_stream, mediaType) =>
    mediaType === 'audio' ? [] : [{ fromMs, toMs }],
  );
  expect(found).toEqual([]);
});
