import { expect, test } from 'vitest';
import { judgeDials } from './dials.ts';
import { PlantedHistory } from './planted-history.ts';

const [A, B] = ['runner-1/1', 'runner-2/1'];

const words = (history: PlantedHistory) => judgeDials(history.events).map((found) => found.words);

const dial = (history: PlantedHistory, process: string) =>
  history.add('socket', {
    socket: 1,
    process,
    rtmsStreamId: 's',
    role: 'signaling',
    what: 'dialled',
  });

/** A claim of A in epoch 1 that is applied, and of which it has not heard yet. */
function claimWithoutAnswer(history: PlantedHistory) {
  const values = { ':a': A, ':e': 1 };
  return history.write(A, 'SESSION#s', { update: 'SET owner = :a, epoch = :e', values }).apply();
}

test('a process that connects by a claim which another one has overtaken is found', () => {
  const history = new PlantedHistory();
  const claim = claimWithoutAnswer(history);
  history.claim(B, 's');
  claim.answer();
  expect(words(dial(history, A))).toEqual([
    'runner-1/1 connected to s by its claim of epoch 1, and runner-2/1 had claimed epoch 2 before the answer came',
  ]);
});

test.each<[string, (history: PlantedHistory) => PlantedHistory]>([
  [
    'whose claim is overtaken after it has heard of it',
    (h) => dial(h.claim(A, 's').claim(B, 's'), A),
  ],
  ['that has overtaken it', (h) => dial(h.claim(B, 's'), B)],
  [
    'that claims the stream anew',
    (h) => {
      const claim = claimWithoutAnswer(h);
      h.claim(B, 's');
      claim.answer();
      return dial(h.claim(A, 's'), A);
    },
  ],
  [
    'that has overtaken itself',
    (h) => {
      const claim = claimWithoutAnswer(h);
      h.claim(A, 's');
      claim.answer();
      return dial(h, A);
    },
  ],
])('a process %s is not', (_what, play) => {
  expect(words(play(new PlantedHistory()))).toEqual([]);
});
