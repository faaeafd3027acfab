import { expect, test, vi } from 'vitest';
import { SILENT_LOGGER } from '../../shared/logger.ts';
import { Loops } from './loop.ts';

test('a loop goes on after a step that failed, and says which loop it was', async () => {
  const warn = vi.fn();
  const loops = new Loops({ ...SILENT_LOGGER, warn });
  const again = Promise.withResolvers<void>();
  let steps = 0;
  loops.start('reconcile', 1, async () => {
    steps += 1;
    if (steps === 1) throw new Error('the table is away');
    again.resolve();
  });
  await again.promise;
  await loops.stop();
  expect(warn.mock.calls[0]?.[1]).toMatchObject({ event: 'step_failed', loop: 'reconcile' });
});

test('stopping waits for the last step of every loop', async () => {
  const loops = new Loops(SILENT_LOGGER);
  const step = Promise.withResolvers<void>();
  loops.start('orphans', 60_000, () => step.promise);
  let isOver = false;
  const stopped = loops.stop().then(() => {
    isOver = true;
  });
  await Promise.resolve();
  expect(isOver).toBe(false);
  step.resolve();
  await stopped;
});

test('stopping does not wait for the pause of a loop', async () => {
  const loops = new Loops(SILENT_LOGGER);
  const stepped = Promise.withResolvers<void>();
  loops.start('revision', 3_600_000, async () => stepped.resolve());
  await stepped.promise;
  await loops.stop();
});
