import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import type { Logger } from '../../shared/logger.ts';
import type { Metrics } from '../../shared/metrics.ts';
import { guardListeners, SessionGuard } from './guard.ts';

function guarded() {
  const seen = { logged: 0, counted: 0, defects: [] as string[] };
  const guard = new SessionGuard({
    logger: { error: () => (seen.logged += 1) } as unknown as Logger,
    metrics: { count: () => (seen.counted += 1) } as unknown as Metrics,
    onDefect: (place) => seen.defects.push(place),
  });
  return { guard, seen };
}

const fail = () => {
  throw new TypeError('of ours');
};

test('a listener that throws does not reach who called it', () => {
  const { guard, seen } = guarded();
  const told: number[] = [];
  guard.listener((one: number, two: number) => told.push(one, two))(1, 2);
  guard.listener(fail)();
  expect(told).toEqual([1, 2]);
  expect(seen.defects).toEqual(['listener']);
});

test('a step that fails at any time is a defect, and its promise resolves', async () => {
  const { guard, seen } = guarded();
  await guard.step(async () => fail());
  await guard.step(async () => {
    await null;
    fail();
  });
  guard.run(fail);
  expect(seen.defects).toEqual(['step', 'step', 'listener']);
});

test('the first defect is counted and logged, those in its wake are not', () => {
  const { guard, seen } = guarded();
  for (let frame = 0; frame < 50; frame++) guard.listener(fail)();
  expect(seen).toMatchObject({ logged: 1, counted: 1 });
});

test('a guard that is closed has nothing left of its session', () => {
  const { guard, seen } = guarded();
  guard.close();
  guard.listener(fail)();
  expect(seen).toEqual({ logged: 0, counted: 0, defects: [] });
});

test('listeners added to a guarded emitter do not reach who emits', () => {
  const { guard, seen } = guarded();
  const emitter = new EventEmitter<{ frame: [number] }>();
  const told: number[] = [];
  guardListeners(emitter, guard);
  emitter.on('frame', fail);
  emitter.on('frame', (frame) => told.push(frame));
  emitter.emit('frame', 7);
  expect(told).toEqual([7]);
  expect(seen.defects).toEqual(['listener']);
});
