import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import { SESSION_AT_MS as AT, CLAIMED_ROW as ROW } from '../../test/support/session/one-session.ts';
import { SessionParts } from '../../test/support/session/session-parts.ts';
import { limitLog } from '../task/log.ts';
import { SessionGuard } from './guard.ts';
import { SessionEffects } from './session-effects.ts';
import type { SessionInput } from './session-inputs.ts';

let parts: SessionParts;
let inputs: SessionInput[];
beforeEach(() => {
  vi.useFakeTimers({ now: AT });
  parts = new SessionParts();
  inputs = [];
});
afterEach(() => {
  vi.useRealTimers();
});

/** The effects of one session, with nobody who decides: each test says what is to be done. */
function effects(row: SessionRow = ROW, mayHandBack = false) {
  const { logger, metrics } = parts.told;
  return new SessionEffects({
    claim: { row, epoch: 1, cause: undefined, holds: () => true, mayHandBack },
    context: parts.context(),
    logger: limitLog(logger),
    guard: new SessionGuard({ logger, metrics, onDefect: () => {} }),
    onInput: (input) => inputs.push(input),
  });
}

const stepsDone = () => vi.advanceTimersByTimeAsync(0);

test('a row that was never started is refused', () => {
  const { startEventTsMs: _, ...never } = ROW;
  expect(() => effects(never)).toThrow('claimed a row that was never started');
});

test('credentials, and what the client reports, come back as inputs', async () => {
  const session = effects();
  session.perform({ do: 'get_credentials' });
  await stepsDone();
  const credentials = { clientId: 'id', clientSecret: 'secret' };
  expect(inputs).toEqual([{ name: 'credentials', credentials }]);
  session.perform({ do: 'join', credentials });
  const [client] = parts.clients;
  expect(client?.joins).toMatchObject([{ rtmsStreamId: 's', serverUrls: ROW.serverUrls }]);
  client?.emit('ended', { cause: 'refused', status: 2, restartable: false });
  expect(inputs.at(-1)).toMatchObject({ name: 'client_ended', reason: { cause: 'refused' } });
});

test('a start that an effect names is the one that is joined and compared with the row', () => {
  const session = effects();
  const start = { ...session.startRegister, serverUrls: ['wss://b.zoom.us'] };
  session.perform({ do: 'remember_start', start });
  session.perform({ do: 'join', credentials: { clientId: 'id', clientSecret: 'secret' } });
  expect(parts.clients[0]?.joins[0]?.serverUrls).toEqual(['wss://b.zoom.us']);
  expect(session.startRegister).toEqual(start);
});

test('an end gives the account of a stream that was missed, and the result is told by the last effect', async () => {
  const session = effects();
  const why = { name: 'missed', reason: 'not_connected' } as const;
  session.perform({ do: 'end', why, atMs: AT });
  await stepsDone();
  expect(inputs).toMatchObject([{ name: 'finished', account: { sequence: 1 } }]);
  session.perform({ do: 'tell_result', result: { kind: 'defect', atMs: AT } });
  await session.connected;
  expect(await session.result).toEqual({ kind: 'defect', atMs: AT });
});

test('the timers of handing back and of a broken ending give their inputs after 15 s each', async () => {
  const session = effects(ROW, true);
  session.claimed();
  await vi.advanceTimersByTimeAsync(14_999);
  expect(inputs).toEqual([]);
  session.perform({ do: 'watch_ending' });
  await vi.advanceTimersByTimeAsync(1);
  expect(inputs).toEqual([{ name: 'hand_back_due' }]);
  await vi.advanceTimersByTimeAsync(14_999);
  expect(inputs.at(-1)).toEqual({ name: 'ending_overdue' });
});
