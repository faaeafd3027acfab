import { expect, test } from 'vitest';
import { checkModel } from './check.ts';
import { MODELS } from './models.ts';
import { PLANTED_FAULTS } from './planted-faults.ts';

test('two tasks and one stream, whatever is late or lost: never two writers', {
  timeout: 300_000,
}, () => {
  const { search, fault } = checkModel(MODELS.free);
  expect(search.broken).toBeUndefined();
  expect(fault).toBeUndefined();
  expect(search.isWhole).toBe(true);
  expect(search.states).toBeGreaterThan(200_000);
});

test('three tasks of two revisions and two streams: one writer, nobody waits for ever, drains end', {
  timeout: 1_200_000,
}, () => {
  const { search, fault, waiting, draining } = checkModel(MODELS.fleet);
  expect(search.broken).toBeUndefined();
  expect(fault).toBeUndefined();
  expect(search.isWhole).toBe(true);
  expect(search.states).toBeGreaterThan(1_000_000);
  expect(waiting?.maxTicks).toBeLessThanOrEqual(9);
  expect(draining?.maxTicks).toBeLessThanOrEqual(1);
});

test.each(PLANTED_FAULTS)('finds $name', { timeout: 300_000 }, (planted) => {
  const found = checkModel(MODELS[planted.in], planted.rules);
  expect(found.fault).toContain(planted.fault);
});
