import { expect, test } from 'vitest';
import { parseBehaviour, parseScenario } from './scenario.ts';

const LEAST = { name: 'test', durationMs: 1_000, participants: [] };

test.each([
  ['an unknown field', { ...LEAST, duration: 5 }, /duration/],
  ['no duration', { name: 'test', participants: [] }, /durationMs/],
  [
    'a behaviour that there is not',
    { ...LEAST, behaviour: { keepAlive: 1 } },
    /behaviour\.keepAlive/,
  ],
  [
    'a value that a behaviour has not',
    { ...LEAST, behaviour: { frames: 'hex' } },
    /behaviour\.frames/,
  ],
  ['a time below zero', { ...LEAST, behaviour: { keepAliveMs: -1 } }, /behaviour\.keepAliveMs/],
  [
    'a field of another action',
    { ...LEAST, actions: [{ atMs: 1, action: { do: 'pause', userId: 1 } }] },
    /userId/,
  ],
])('a scenario with %s is refused, and the error names the field', (_, scenario, field) => {
  expect(() => parseScenario(scenario)).toThrow(
    expect.objectContaining({ code: 'config/invalid', message: expect.stringMatching(field) }),
  );
});

test('a behaviour that is undefined changes nothing', () => {
  expect(parseBehaviour({ frames: undefined, keepAliveMs: 5 })).toEqual({ keepAliveMs: 5 });
});
