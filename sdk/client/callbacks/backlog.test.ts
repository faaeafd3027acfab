import { expect, test, vi } from 'vitest';
import { Backlog, type DroppedWork, type Work, type WorkKind } from './backlog.ts';

const HELD_BYTES = 1_000 + 512;

function backlog(maxBytes = 100 * HELD_BYTES) {
  const dropped: DroppedWork[] = [];
  return { dropped, backlog: new Backlog(maxBytes, (one) => dropped.push(one)) };
}

let nowMs = 0;

function work(run: () => unknown, options: Partial<Work> = {}): Work {
  nowMs += 1;
  return {
    kind: 'audio',
    source: 'ada',
    sizeBytes: 1_000,
    timestampMs: nowMs,
    run,
    failed: (error) => expect.fail(String(error)),
    ...options,
  };
}

test('work for a free source runs at once', () => {
  const { backlog: queue } = backlog();
  const run = vi.fn();
  queue.push(work(run));
  expect(run).toHaveBeenCalledOnce();
});

test('work of one source runs in order although its callback is slow', async () => {
  const { backlog: queue } = backlog();
  const seen: number[] = [];
  for (const number of [1, 2, 3, 4]) {
    queue.push(
      work(async () => {
        for (let tick = number; tick < 5; tick++) await Promise.resolve();
        seen.push(number);
      }),
    );
  }
  await queue.drained(1_000);
  expect(seen).toEqual([1, 2, 3, 4]);
});

test('a slow callback of one source does not delay other sources', async () => {
  const { backlog: queue } = backlog();
  const slow = Promise.withResolvers<void>();
  const run = vi.fn();
  queue.push(work(() => slow.promise));
  queue.push(work(run, { source: 'ben' }));
  queue.push(work(run, { kind: 'video' }));
  expect(run).toHaveBeenCalledTimes(2);
  slow.resolve();
  await queue.drained(1_000);
});

test('a backlog goes on after a callback that throws and one that rejects', async () => {
  const { backlog: queue } = backlog();
  const failed = vi.fn();
  const run = vi.fn();
  queue.push(work(() => Promise.reject(new Error('late')), { failed }));
  queue.push(
    work(
      () => {
        throw new Error('early');
      },
      { failed },
    ),
  );
  queue.push(work(run));
  await queue.drained(1_000);
  expect(failed.mock.calls.map(([error]) => (error as Error).message)).toEqual(['late', 'early']);
  expect(run).toHaveBeenCalledOnce();
});

test('a full backlog drops the oldest waiting frames and reports them once', async () => {
  const { backlog: queue, dropped } = backlog(2 * HELD_BYTES);
  const slow = Promise.withResolvers<void>();
  const seen: number[] = [];
  nowMs = 0;
  queue.push(work(() => slow.promise));
  for (const number of [2, 3, 4, 5]) queue.push(work(() => seen.push(number)));
  expect(queue.waitingBytes).toBe(2 * HELD_BYTES);
  expect(dropped).toEqual([]);
  slow.resolve();
  await queue.drained(1_000);
  expect(seen).toEqual([4, 5]);
  expect(dropped).toEqual([{ kind: 'audio', source: 'ada', frames: 2, fromMs: 2, toMs: 3 }]);
  expect(queue.waitingBytes).toBe(0);
});

test.for<[WorkKind, WorkKind]>([
  ['video', 'deskshare'],
  ['deskshare', 'audio'],
  ['audio', 'text'],
  ['text', 'event'],
])('a full backlog drops %s before %s, whichever is older', async ([first, second]) => {
  const { backlog: queue, dropped } = backlog(2 * HELD_BYTES);
  const slow = Promise.withResolvers<void>();
  for (const kind of [first, second]) queue.push(work(() => slow.promise, { kind }));
  for (const kind of [second, first, second]) queue.push(work(() => {}, { kind }));
  slow.resolve();
  await queue.drained(1_000);
  expect(dropped).toMatchObject([{ kind: first, frames: 1 }]);
});

test('the drain drops what waits behind a callback that never ends', async () => {
  const { backlog: queue, dropped } = backlog();
  queue.push(work(() => new Promise(() => {})));
  queue.push(work(() => expect.fail('must not run')));
  await queue.drained(1);
  expect(dropped).toMatchObject([{ frames: 1 }]);
  expect(queue.waitingBytes).toBe(0);
});
