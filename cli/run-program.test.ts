import { expect, test } from 'vitest';
import { separateLocal } from './run-program.ts';

test.for([
  ['does not swallow an id', ['verify', '--local', '5f9d'], ['verify', '--local=', '5f9d']],
  [
    'does not swallow an id with a slash',
    ['verify', '--local', 'a/b='],
    ['verify', '--local=', 'a/b='],
  ],
  ['takes a file by its ending', ['verify', '--local', 'x/stack.json', '5f9d'], undefined],
  ['takes a file that exists', ['verify', '--local', 'package-lock.json', '5f9d'], undefined],
  ['may stand last', ['verify', '5f9d', '--local'], undefined],
  ['may stand before an option', ['verify', '--local', '--json', '5f9d'], undefined],
  ['takes what is written with =', ['verify', '--local=stack', '5f9d'], undefined],
  ['is an id behind --', ['verify', '--', '--local', '5f9d'], undefined],
] as const)('--local %s', ([, words, expected]) => {
  expect(separateLocal(words)).toEqual(expected ?? words);
});
