import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ServiceError } from '../../shared/errors.ts';
import { Told } from '../../test/support/session/session-parts.ts';
import { tellConnected, tellLeaving } from './row-results.ts';

const claim = { rtmsStreamId: 's', taskId: 'here', epoch: 1 };

let told: Told;
let session: { connected: Promise<void>; isConnected: boolean };
beforeEach(() => {
  vi.useFakeTimers();
  told = new Told();
  session = { connected: Promise.resolve(), isConnected: true };
});
afterEach(() => vi.useRealTimers());

/** Says that media flows into a table that fails `failures` times. @returns how often that was tried */
async function triesOf(failures: number, error: Error, onTry = (_tries: number) => {}) {
  let tries = 0;
  const store = {
    async connected() {
      tries += 1;
      onTry(tries);
      if (tries <= failures) throw error;
    },
  };
  const telling = tellConnected({ session, claim }, { store, logger: told.logger });
  await vi.runAllTimersAsync();
  await telling;
  return tries;
}

const AWAY = new ServiceError('session/store-failed', 'away');

test('that media flows is said when the table is back, however long that takes, and logged once', async () => {
  expect(await triesOf(60, AWAY)).toBe(61);
  expect(told.events).toEqual(['connected_untold']);
});

test('that media flows is not said any more when the session ends', async () => {
  const endAt = (tries: number) => {
    session.isConnected = tries < 3;
  };
  expect(await triesOf(60, AWAY, endAt)).toBe(3);
});

test('that media flows is said once to a table that refuses it for good', async () => {
  expect(await triesOf(60, new ServiceError('session/store-refused', 'no'))).toBe(1);
});

describe('an ending', () => {
  const TOLD = { atMs: 0, isTold: true };
  const UNTOLD = { atMs: 0, isTold: false };

  /** @param lastsMs undefined: it never ends. @returns what the row was told, and when, ms */
  async function toldOf(
    lastsMs: number,
    since: { readonly atMs: number } | undefined,
    wroteUntilMs: () => number | undefined = () => undefined,
  ) {
    const writes: unknown[] = [];
    const startMs = Date.now();
    const result = Promise.withResolvers<{ kind: 'dropped' }>();
    setTimeout(() => result.resolve({ kind: 'dropped' }), lastsMs);
    const leaving = Promise.resolve(startMs);
    const ending = { leaving, result: result.promise, blindSince: () => since };
    const served: Parameters<typeof tellLeaving>[0] = {
      session: ending,
      claim,
      tenure: { unprovedSinceMs: undefined },
    };
    const store = {
      async leaving(of: unknown, what: unknown) {
        writes.push([of, what, Date.now() - startMs]);
        if (writes.length < 3) throw AWAY;
      },
    };
    const telling = tellLeaving(served, { store, logger: told.logger, wroteUntilMs });
    await vi.runAllTimersAsync();
    await telling;
    return { writes, left: served.left && { ...served.left, atMs: served.left.atMs - startMs } };
  }

  test('that is over soon says nothing of its own', async () => {
    expect(await toldOf(999, { atMs: 5 })).toEqual({ writes: [], left: UNTOLD });
  });

  test('that lasts says since when nobody receives the stream, until the table has it', async () => {
    const write = (ms: number) => [claim, { atMs: 5 }, ms];
    const writes = [write(1_000), write(1_500), write(2_000)];
    expect(await toldOf(60_000, { atMs: 5 })).toEqual({ writes, left: TOLD });
    expect(told.events).toEqual(['leaving_untold']);
  });

  test('that is over before the table is back leaves it to the result', async () => {
    const { writes, left } = await toldOf(1_200, { atMs: 5 });
    expect([writes.length, left]).toEqual([1, UNTOLD]);
  });

  test('that lasts says what was written when it began: what is dropped later stands in no gap', async () => {
    const startMs = Date.now();
    const { writes, left } = await toldOf(60_000, { atMs: 5 }, () => Date.now() - startMs);
    const since = { atMs: 5, wroteUntilMs: 0 };
    expect(writes.map((write) => (write as unknown[])[1])).toEqual([since, since, since]);
    expect(left).toEqual({ ...TOLD, wroteUntilMs: 0 });
  });

  test('whose row has an earlier time says nothing', async () => {
    expect(await toldOf(60_000, undefined)).toEqual({ writes: [], left: TOLD });
  });
});
