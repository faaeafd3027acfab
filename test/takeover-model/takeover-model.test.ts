import { expect, test } from 'vitest';
import { checkModel } from './check.ts';
import { MODELS } from './models.ts';
import { PLANTED_FAULTS } from './planted-faults.ts';

test('two tasks and two streams: one writer, nobody waits for ever, drains end', () => {
  const { search, fault, waiting } = checkModel(MODELS.even);
  expect(search.broken).toBeUndefined();
  expect(fault).toBeUndefined();
  expect(search.isWhole).toBe(true);
  expect(search.states).toBeGreaterThan(5_000);
  // Three ticks until the expiry, and one for a task that comes back in between.
  expect(waiting?.maxTicks).toBe(4);
});

const QUICK = [
  'a claim without its condition',
  'a death that is believed one tick too early',
  'a task that takes more sessions than it has slots',
  'a task that takes what it hands over while it drains',
  'an owner without room that keeps what it does not serve',
];

test.each(PLANTED_FAULTS.filter(({ name }) => QUICK.includes(name)))('finds $name', (planted) => {
  expect(checkModel(MODELS[planted.in], planted.rules).fault).toContain(planted.fault);
});
