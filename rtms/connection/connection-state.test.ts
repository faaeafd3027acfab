import { describe, expect, test } from 'vitest';
import { type ConnectionInput, type ConnectionState, nextState } from './connection-state.ts';

const trouble = { cause: 'join', sinceMs: 1_000 };
const idle: ConnectionState = { name: 'idle' };
const dialing: ConnectionState = { name: 'dialing', attempt: 2, flaps: 0, trouble };
const waiting: ConnectionState = { ...dialing, name: 'waiting', pace: 'normal' };
const up: ConnectionState = { name: 'up', attempt: 2, flaps: 1, atMs: 5_000, after: trouble };
const closed: ConnectionState = { name: 'closed', closure: { name: 'left' } };

const dial: ConnectionInput = { name: 'dial', cause: 'redo', atMs: 9_000, fresh: false };
const accepted: ConnectionInput = { name: 'accepted', atMs: 9_000 };
const failed: ConnectionInput = {
  name: 'failed',
  verdict: 'retry',
  cause: 'connect_failed',
  status: undefined,
};
const lost: ConnectionInput = { name: 'lost', cause: 'watchdog', sinceMs: 8_000, atMs: 9_000 };
const retry: ConnectionInput = { name: 'retry' };
const expired: ConnectionInput = { name: 'expired' };
const close: ConnectionInput = { name: 'close' };

const redone = {
  name: 'dialing',
  attempt: 1,
  flaps: 0,
  trouble: { cause: 'redo', sinceMs: 9_000 },
};
const freshDial: ConnectionInput = { ...dial, fresh: true };
const flapped = {
  name: 'waiting',
  attempt: 0,
  flaps: 2,
  trouble: { cause: 'redo', sinceMs: 9_000 },
  pace: 'normal',
};
const stableRedial = { ...redone, trouble: { cause: 'redo', sinceMs: 15_000 } };
const tooLate = { name: 'closed', closure: { name: 'expired', cause: 'join' } };

describe('nextState', () => {
  test.each<[string, ConnectionState, ConnectionInput, object]>([
    ['a first dial', idle, dial, redone],
    ['the first new address while waiting', waiting, freshDial, { ...redone, flaps: 1 }],
    ['the first new address during an attempt', dialing, freshDial, { ...redone, flaps: 1 }],
    ['a second new address while waiting', { ...waiting, flaps: 1 }, freshDial, flapped],
    ['a second new address during an attempt', { ...dialing, flaps: 1 }, freshDial, flapped],
    ['a dial after a stable while', up, { ...dial, atMs: 15_000 }, stableRedial],
    ['a new address after a stable while', up, { ...freshDial, atMs: 15_000 }, stableRedial],
    ['a dial after a short while', up, dial, flapped],
    ['a new address after a short while', up, freshDial, flapped],
    ['an answer', dialing, accepted, { name: 'up', attempt: 2, atMs: 9_000, after: trouble }],
    ['a failure', dialing, failed, { name: 'waiting', attempt: 2, pace: 'normal', trouble }],
    [
      'a duplicate',
      dialing,
      { ...failed, verdict: 'retry_duplicate', status: 8 },
      { name: 'waiting', pace: 'duplicate' },
    ],
    [
      'a refusal',
      dialing,
      { ...failed, verdict: 'refused', cause: 'status_9', status: 9 },
      { name: 'closed', closure: { name: 'refused', status: 9, cause: 'status_9' } },
    ],
    [
      'a refused signature of which there may be another',
      dialing,
      { ...failed, verdict: 'retry_signature', cause: 'status_3', status: 3 },
      { name: 'waiting', attempt: 2, pace: 'signature', trouble },
    ],
    [
      'the end of the window without another signature',
      { ...waiting, pace: 'signature' },
      expired,
      { name: 'closed', closure: { name: 'fatal', status: 3, cause: 'status_3' } },
    ],
    [
      'a fatal status',
      dialing,
      { ...failed, verdict: 'fatal', cause: 'status_3', status: 3 },
      { name: 'closed', closure: { name: 'fatal', status: 3, cause: 'status_3' } },
    ],
    [
      'a loss after a short while',
      up,
      lost,
      {
        name: 'waiting',
        attempt: 0,
        flaps: 2,
        trouble: { cause: 'watchdog', sinceMs: 8_000 },
      },
    ],
    [
      'a loss that is noticed late',
      up,
      { ...lost, goneMs: 6_000 },
      { name: 'waiting', trouble: { cause: 'watchdog', sinceMs: 8_000, goneMs: 6_000 } },
    ],
    [
      'a dial of a connection that is silent',
      up,
      { ...dial, atMs: 15_000, goneMs: 6_000 },
      { ...redone, trouble: { cause: 'redo', sinceMs: 15_000, goneMs: 6_000 } },
    ],
    ['a loss after a long while', up, { ...lost, atMs: 15_000 }, { name: 'waiting', flaps: 0 }],
    ['the next attempt', waiting, retry, { name: 'dialing', attempt: 3, trouble }],
    ['the end of the window while waiting', waiting, expired, tooLate],
    ['the end of the window while dialling', dialing, expired, tooLate],
    ['leaving', up, close, closed],
  ])('%s', (_title, from, input, to) => {
    expect(nextState(from, input)).toMatchObject(to);
  });
});

describe('nextState returns the same state for an input that is late or irrelevant', () => {
  const rows: [ConnectionState, ConnectionInput[]][] = [
    [idle, [accepted, failed, lost, retry, expired]],
    [dialing, [dial, lost, retry]],
    [waiting, [dial, accepted, failed, lost]],
    [up, [accepted, failed, retry, expired]],
    [closed, [dial, accepted, failed, lost, retry, expired, close]],
  ];
  for (const [state, inputs] of rows)
    for (const input of inputs)
      test(`${input.name} while ${state.name}`, () => {
        expect(nextState(state, input)).toBe(state);
      });
});
