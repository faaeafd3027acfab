import { describe, expect, test } from 'vitest';
import {
  type ClientInput,
  type ClientState,
  endOfConnection,
  nextClientState,
  stopped,
} from './client-state.ts';
import type { EndReason } from './events.ts';

const trouble = { cause: 'watchdog', sinceMs: 1 };
const left: EndReason = { cause: 'left', restartable: false };
const meetingEnded: EndReason = { cause: 'stopped', stopReason: 6, restartable: false };
const closeAnswered: EndReason = { cause: 'stopped', stopReason: 20, restartable: false };
const closeAsked: EndReason = { cause: 'closed', restartable: false };

const idle: ClientState = { name: 'idle' };
const connecting: ClientState = { name: 'connecting' };
const streaming: ClientState = { name: 'streaming' };
const paused: ClientState = { name: 'paused' };
const reconnecting: ClientState = { name: 'reconnecting', resumeTo: 'streaming', trouble };
const pausedMeanwhile: ClientState = { name: 'reconnecting', resumeTo: 'paused', trouble };
const leaving: ClientState = { name: 'leaving', reason: left };
const ended: ClientState = { name: 'ended', reason: left };

const interrupted: ClientInput = { name: 'interrupted', trouble };
const end = (reason: EndReason): ClientInput => ({ name: 'end', reason });
const simple = (name: 'join' | 'ready' | 'paused' | 'resumed' | 'closed'): ClientInput => ({
  name,
});

test.each<[ClientState, ClientInput, ClientState]>([
  [idle, simple('join'), connecting],
  [connecting, simple('ready'), streaming],
  [streaming, interrupted, reconnecting],
  [paused, interrupted, pausedMeanwhile],
  [reconnecting, simple('ready'), streaming],
  [pausedMeanwhile, simple('ready'), paused],
  [streaming, simple('paused'), paused],
  [paused, simple('resumed'), streaming],
  [reconnecting, simple('paused'), pausedMeanwhile],
  [pausedMeanwhile, simple('resumed'), reconnecting],
  [streaming, end(left), leaving],
  [leaving, end(meetingEnded), { name: 'leaving', reason: meetingEnded }],
  [leaving, end(closeAsked), leaving],
  [
    { name: 'leaving', reason: closeAsked },
    end(closeAnswered),
    { name: 'leaving', reason: { cause: 'closed', stopReason: 20, restartable: false } },
  ],
  [leaving, simple('closed'), ended],
])('%j, %j: %j', (from, input, to) => {
  expect(nextClientState(from, input)).toEqual(to);
});

describe('late or irrelevant inputs change nothing', () => {
  const rows: [ClientState, ClientInput[]][] = [
    [idle, [simple('ready'), interrupted, simple('paused'), simple('resumed'), simple('closed')]],
    [connecting, [simple('join'), interrupted, simple('paused'), simple('closed')]],
    [streaming, [simple('join'), simple('ready'), simple('resumed'), simple('closed')]],
    [paused, [simple('ready'), simple('paused')]],
    [reconnecting, [interrupted, simple('resumed')]],
    [pausedMeanwhile, [simple('paused')]],
    [leaving, [simple('join'), interrupted, simple('paused'), simple('ready')]],
    [ended, [simple('join'), interrupted, end(meetingEnded), simple('closed')]],
  ];
  for (const [state, inputs] of rows)
    for (const input of inputs)
      test(`${input.name} while ${JSON.stringify(state)}`, () => {
        expect(nextClientState(state, input)).toBe(state);
      });
});

test.each([
  [6, false],
  [13, true],
  [99, false],
])('a stream that Zoom ends for reason %i may be restarted: %s', (stopReason, restartable) => {
  expect(stopped(stopReason)).toEqual({ cause: 'stopped', stopReason, restartable });
});

test.each([
  [
    { name: 'expired', cause: 'watchdog' },
    { cause: 'lost', restartable: true },
  ],
  [
    { name: 'fatal', status: 3, cause: 'status' },
    { cause: 'refused', restartable: false, status: 3 },
  ],
  [
    { name: 'refused', status: undefined, cause: 'closed' },
    { cause: 'refused', restartable: false },
  ],
] as const)('a connection closed for good as %o ends the client', (closure, reason) => {
  expect(endOfConnection(closure)).toEqual(reason);
});
