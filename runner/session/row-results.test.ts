import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ServiceError } from '../../shared/errors.ts';
import { Told } from '../../test/support/session/session-parts.ts';
import { tellConnected } from './row-results.ts';

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
