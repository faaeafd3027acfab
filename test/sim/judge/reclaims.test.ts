import { expect, test } from 'vitest';
import { PlantedHistory } from './planted-history.ts';
import { judgeReclaims } from './reclaims.ts';

const A = 'runner-1/1';

const words = (history: PlantedHistory) =>
  judgeReclaims(history.events).map((found) => found.words);

test('a process that claims what it serves is found', () => {
  expect(words(new PlantedHistory().claim(A, 's').claim(A, 's'))).toEqual([
    'runner-1/1 claimed s in epoch 2, which it served already',
  ]);
});

test.each<[string, (history: PlantedHistory) => PlantedHistory]>([
  ['was frozen meanwhile', (h) => h.add('process', { process: A, what: 'frozen' })],
  ['was cut off', (h) => h.add('fault', { fault: 'cut_off', process: A, words: 'cut off' })],
  ['had lost it to another one', (h) => h.claim('runner-2/1', 's')],
])('a process that %s may claim anew what it served', (_what, meanwhile) => {
  expect(words(meanwhile(new PlantedHistory().claim(A, 's')).claim(A, 's'))).toEqual([]);
});

test('a process whose client has stopped waiting for the answer is not found to claim anew what it serves', () => {
  const history = new PlantedHistory();
  const values = { ':a': A, ':e': 1 };
  const call = history.write(A, 'SESSION#s', { update: 'SET owner = :a, epoch = :e', values });
  call.apply();
  history.wait(2_000);
  call.answer();
  expect(words(history.claim(A, 's'))).toEqual([]);
});

test('a process that never heard of its claim is not found to claim anew what it serves', () => {
  const history = new PlantedHistory();
  const update = { update: 'SET owner = :a, epoch = :e', values: { ':a': A, ':e': 1 } };
  history.write(A, 'SESSION#s', update).apply();
  expect(words(history.claim(A, 's'))).toEqual([]);
});
