import { expect, test } from 'vitest';
import { PlantedHistory } from './planted-history.ts';
import { judgeReclaims } from './reclaims.ts';

const A = 'runner-1/1';
const AGAIN = ['runner-1/1 claimed s in epoch 2, which it served already'];

const words = (history: PlantedHistory) =>
  judgeReclaims(history.events).map((found) => found.words);

/** Time goes on, and a process renews its heartbeat every 3 s. */
function beats(history: PlantedHistory, ms: number, process = A): PlantedHistory {
  const endMs = history.nowMs + ms;
  for (; history.nowMs < endMs; history.wait(Math.min(3_000, endMs - history.nowMs))) {
    const values = { ':now': history.nowMs };
    history
      .write(process, `TASK#${process}`, { update: 'SET aliveAtMs = :now', values })
      .apply()
      .answer();
  }
  return history;
}

test.each<[string, (history: PlantedHistory) => PlantedHistory]>([
  ['at once', (h) => h],
  ['after a minute with its heartbeats', (h) => beats(h, 60_000)],
  [
    'after a freeze that leaves its lease alone',
    (h) => beats(h.add('process', { process: A, what: 'frozen' }).wait(2_000), 9_000),
  ],
  [
    'after a fault that leaves its lease alone',
    (h) =>
      beats(h.add('fault', { fault: 'cut_off', process: A, words: 'cut off' }).wait(3_000), 9_000),
  ],
])('a process that claims %s what it serves is found', (_what, meanwhile) => {
  const history = beats(new PlantedHistory(), 9_000).claim(A, 's');
  expect(words(meanwhile(history).claim(A, 's'))).toEqual(AGAIN);
});

test.each<[string, (history: PlantedHistory) => PlantedHistory]>([
  ['heartbeats have stopped', (h) => h.wait(7_000)],
  ['heartbeats have stopped, and come again', (h) => beats(h.wait(10_000), 9_000)],
  ["heartbeats have stopped, and not another one's", (h) => beats(h, 9_000, 'runner-2/1')],
  ['stream another one has claimed', (h) => h.claim('runner-2/1', 's')],
])('a process whose %s may claim anew what it served', (_what, meanwhile) => {
  const history = beats(new PlantedHistory(), 9_000).claim(A, 's');
  expect(words(meanwhile(history).claim(A, 's'))).toEqual([]);
});

/** A claim of epoch 1 that leaves now. */
const claimBy = (history: PlantedHistory) =>
  history.write(A, 'SESSION#s', {
    update: 'SET owner = :a, epoch = :e',
    values: { ':a': A, ':e': 1 },
  });

test('a claim whose answer comes when the term is over is not served, and may be claimed anew', () => {
  const history = beats(new PlantedHistory(), 6_000).wait(3_500);
  const claim = claimBy(history);
  history.wait(500);
  claim.apply();
  history.wait(500);
  claim.answer();
  beats(history.wait(100), 1_000);
  expect(words(history.claim(A, 's'))).toEqual([]);
});

test('a claim whose answer is just in time is served, and may not be claimed anew', () => {
  const history = beats(new PlantedHistory(), 6_000).wait(1_000);
  const claim = claimBy(history);
  history.wait(1_000);
  claim.apply().answer();
  beats(history.wait(500), 1_000);
  expect(words(history.claim(A, 's'))).toEqual(AGAIN);
});

test('a claim that leaves behind a lapse, in the next term, may not be claimed anew for that', () => {
  const history = beats(beats(new PlantedHistory(), 6_000).wait(7_000), 1_000).claim(A, 's');
  expect(words(beats(history, 3_000).claim(A, 's'))).toEqual(AGAIN);
});

test('a process whose client has stopped waiting for the answer is not found to claim anew what it serves', () => {
  const history = new PlantedHistory();
  const call = claimBy(history).apply();
  history.wait(2_000);
  call.answer();
  expect(words(history.claim(A, 's'))).toEqual([]);
});

test('a process that never heard of its claim is not found to claim anew what it serves', () => {
  const history = new PlantedHistory();
  claimBy(history).apply();
  expect(words(history.claim(A, 's'))).toEqual([]);
});
