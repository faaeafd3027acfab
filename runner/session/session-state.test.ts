import { describe, expect, test } from 'vitest';
import type { EndReason } from '../../rtms/events.ts';
import { STOP_REASON } from '../../rtms/protocol/stop-reason.ts';
import type { StartRegister } from '../../shared/session-table/session-row.ts';
import type { EndingWhy, SessionInput } from './session-inputs.ts';
import { nextSession, type RunnerSessionState } from './session-state.ts';

const NOW_MS = 9_000;
const HANDSHAKE = { handshakeAtMs: 5_000 };
const start = { startEventTsMs: 7, serverUrls: ['wss://b'] } as unknown as StartRegister;

/**
 * `given`: handed over by a runner that could serve it. `unserved`: media has flowed in no earlier epoch. `own`: any other
 * that is not connected yet.
 */
const STATES = {
  own: { name: 'connecting', mayHandBack: false },
  given: { name: 'connecting', mayHandBack: true },
  unserved: { name: 'connecting', mayHandBack: false, unserved: { epoch: 3 } },
  streaming: { name: 'streaming', ...HANDSHAKE },
  paused: { name: 'paused', ...HANDSHAKE },
  reconnecting: { name: 'reconnecting', ...HANDSHAKE },
  ending: { name: 'ending', why: { name: 'handed_over', cause: 'shutdown' }, atMs: 6_000 },
  ended: { name: 'ended', result: { kind: 'dropped' } },
} satisfies Record<string, RunnerSessionState>;
const COLUMNS = Object.keys(STATES) as (keyof typeof STATES)[];

const credentials = { clientId: 'id', clientSecret: 'secret' };
const refused: EndReason = { cause: 'refused', status: 9, restartable: false };
const lost: EndReason = { cause: 'lost', restartable: true };
const agreed = { media: {}, leftOut: [] };
const interrupted = { name: 'interrupted', isSuspended: false } as const;
const signaling = { scope: 'signaling', cause: 'watchdog' };
const video = { scope: 'video', cause: 'watchdog' };

/** What an input did, in short: the state after it, and its effects; `·` for nothing at all. */
function outcome(from: RunnerSessionState, input: SessionInput): string {
  const { state, effects } = nextSession(from, input, NOW_MS);
  const done = effects.map((effect) => effect.do).join(' ');
  if (state === from) return done === '' ? '·' : `· ${done}`;
  return `${shortOf(state)} ${done}`;
}

function shortOf(state: RunnerSessionState): string {
  if (state.name === 'ending') return state.why.name;
  return state.name === 'ended' ? `ended:${state.result.kind}` : state.name;
}

const END = 'log end';
const BACK = `handed_over ${END}`;
const GONE = 'ended:dropped drop tell_result';
const BROKEN = 'ended:unrecorded drop_unwritten tell_result';

/** Every input (rows) in every state (columns, as in STATES). */
const TABLE: [title: string, input: SessionInput, ...outcomes: string[]][] = [
  // biome-ignore format: a table
  ['begin', { name: 'begin' },
    '· get_credentials', '· get_credentials', '· get_credentials', '·', '·', '·', '·', '·'],
  // biome-ignore format: a table
  ['begin, stopped', { name: 'begin', stopReason: 6 },
    'stopped end', 'stopped end', 'missed log end', '·', '·', '·', '·', '·'],
  // biome-ignore format: a table
  ['credentials', { name: 'credentials', credentials },
    '· join', '· join', '· join', '·', '·', '·', '·', '·'],
  // biome-ignore format: a table
  ['cannot connect', { name: 'cannot_connect', why: 'no_credentials' },
    'refused count end', BACK, 'missed log end', '·', '·', '·', '·', '·'],
  // biome-ignore format: a table
  ['joined', { name: 'joined', ...agreed },
    'streaming log write_started', 'streaming log write_started', 'streaming log write_started', '·', '·', '·', '·', '·'],
  // biome-ignore format: a table
  ['paused', { name: 'paused' },
    '·', '·', '·', 'paused log', 'paused log', 'paused log', '·', '·'],
  // biome-ignore format: a table
  ['resumed', { name: 'resumed' },
    '·', '·', '·', 'streaming log', 'streaming log', 'streaming log', '·', '·'],
  // biome-ignore format: a table
  ['signaling interrupted', { ...interrupted, info: signaling },
    '·', '·', '·', 'reconnecting log', 'reconnecting log', 'reconnecting log', '·', '·'],
  // biome-ignore format: a table
  ['video interrupted', { ...interrupted, info: video },
    '·', '·', '·', 'reconnecting log', 'reconnecting log', 'reconnecting log', '·', '·'],
  // biome-ignore format: a table
  ['signaling interrupted while suspended', { ...interrupted, info: signaling, isSuspended: true },
    GONE, GONE, GONE, GONE, GONE, GONE, '·', '·'],
  // biome-ignore format: a table
  ['video interrupted while suspended', { ...interrupted, info: video, isSuspended: true },
    '·', '·', '·', 'reconnecting log', 'reconnecting log', 'reconnecting log', '·', '·'],
  // biome-ignore format: a table
  ['signaling reconnected', { name: 'reconnected', info: signaling },
    '·', '·', '·', 'streaming log', 'streaming log', 'streaming log', '·', '·'],
  // biome-ignore format: a table
  ['video reconnected', { name: 'reconnected', info: video },
    '·', '·', '·', 'streaming log', 'streaming log', 'streaming log', '·', '·'],
  // biome-ignore format: a table
  ['client left', { name: 'client_ended', reason: { cause: 'left', restartable: false } },
    '·', '·', '·', '·', '·', '·', '·', '·'],
  // biome-ignore format: a table
  ['client stopped', { name: 'client_ended', reason: { cause: 'stopped', stopReason: 6, restartable: false } },
    'stopped end', 'stopped end', 'missed log end', 'stopped end', 'stopped end', 'stopped end', '·', '·'],
  // biome-ignore format: a table
  ['client refused', { name: 'client_ended', reason: refused },
    '· look_up_stop', '· look_up_stop', '· look_up_stop', '· look_up_stop', '· look_up_stop', '· look_up_stop', '·', '·'],
  // biome-ignore format: a table
  ['a stop was found', { name: 'stop_looked_up', reason: refused, stopReason: 6 },
    'stopped end', 'stopped end', 'missed log end', 'stopped end', 'stopped end', 'stopped end', '·', '·'],
  // biome-ignore format: a table
  ['no stop was found, refused', { name: 'stop_looked_up', reason: refused, stopReason: undefined },
    'refused count end', BACK, 'missed log end', 'refused count end', 'refused count end', 'refused count end', '·', '·'],
  // biome-ignore format: a table
  ['no stop was found, lost', { name: 'stop_looked_up', reason: lost, stopReason: undefined },
    'lost count end', BACK, 'missed log end', 'lost count end', 'lost count end', 'lost count end', '·', '·'],
  // biome-ignore format: a table
  ['stop wanted', { name: 'stop_wanted', stopReason: 6 },
    'stopped end', 'stopped end', 'missed log end', 'stopped end', 'stopped end', 'stopped end', '·', '·'],
  // biome-ignore format: a table
  ['operator stop', { name: 'operator_stop' },
    'stopped close_stream end', 'stopped close_stream end', 'missed close_stream log end', 'stopped close_stream end',
    'stopped close_stream end', 'stopped close_stream end', '·', '·'],
  // biome-ignore format: a table
  ['hand over', { name: 'hand_over', cause: 'operator' },
    BACK, BACK, BACK, BACK, BACK, BACK, '·', '·'],
  // biome-ignore format: a table
  ['hand back due', { name: 'hand_back_due' },
    '·', BACK, '·', '·', '·', '·', '·', '·'],
  // biome-ignore format: a table
  ['started again', { name: 'started_again', start },
    '· remember_start', '· remember_start', '· remember_start', '· remember_start', '· remember_start', '· remember_start', '·', '·'],
  // biome-ignore format: a table
  ['reconnect wanted', { name: 'reconnect_wanted', cause: 'fail_over', start, interruptEventTsMs: 8 },
    '· reconnect', '· reconnect', '· reconnect', '· reconnect', '· reconnect', '· reconnect', '·', '·'],
  // biome-ignore format: a table
  ['fenced', { name: 'fenced', why: 'another owner', mayFinish: false },
    GONE, GONE, GONE, GONE, GONE, GONE, GONE, '·'],
  // biome-ignore format: a table
  ['fenced with a right to finish', { name: 'fenced', why: 'another owner', mayFinish: true },
    GONE, GONE, GONE, GONE, GONE, GONE, '·', '·'],
  // biome-ignore format: a table
  ['overloading', { name: 'overloading' },
    'defect count log end', 'defect count log end', 'defect count log end', 'defect count log end',
    'defect count log end', 'defect count log end', '·', '·'],
  // biome-ignore format: a table
  ['defect in a listener', { name: 'defect', place: 'listener' },
    'defect end', 'defect end', 'defect end', 'defect end', 'defect end', 'defect end', '·', '·'],
  // biome-ignore format: a table
  ['defect in a step', { name: 'defect', place: 'step' },
    'defect end', 'defect end', 'defect end', 'defect end', 'defect end', 'defect end', BROKEN, '·'],
  // biome-ignore format: a table
  ['defect that nobody caught', { name: 'defect', place: 'uncaught' },
    'defect end', 'defect end', 'defect end', 'defect end', 'defect end', 'defect end', '· watch_ending', '·'],
  // biome-ignore format: a table
  ['finished', { name: 'finished', isRecorded: true },
    '·', '·', '·', '·', '·', '·', 'ended:handed_over tell_result', '·'],
  // biome-ignore format: a table
  ['finished, and Kinesis does not have it', { name: 'finished', isRecorded: false },
    '·', '·', '·', '·', '·', '·', 'ended:unrecorded tell_result', '·'],
  // biome-ignore format: a table
  ['ending overdue', { name: 'ending_overdue' },
    '·', '·', '·', '·', '·', '·', BROKEN, '·'],
];

describe.each(COLUMNS)('while %s', (column) => {
  test.each(TABLE)('%s', (_title, input, ...outcomes) => {
    expect(outcomes).toHaveLength(COLUMNS.length);
    const from: RunnerSessionState = STATES[column];
    expect(outcome(from, input)).toBe(outcomes[COLUMNS.indexOf(column)]);
  });
});

describe('the end of a session says', () => {
  const endOf = (from: RunnerSessionState, input: SessionInput) => {
    const { state } = nextSession(from, input, NOW_MS);
    const finished = (isRecorded: boolean) => {
      const after = nextSession(state, { name: 'finished', isRecorded }, NOW_MS + 500).state;
      return after.name === 'ended' ? after.result : undefined;
    };
    return {
      why: state.name === 'ending' ? state.why : undefined,
      result: finished(true),
      unrecorded: finished(false),
    };
  };

  test.each<[string, SessionInput, EndingWhy, object]>([
    [
      'whether a stop may be followed by a restart',
      { name: 'stop_wanted', stopReason: 13 },
      { name: 'stopped', stopReason: 13, restartable: true },
      { kind: 'ended', reason: 13 },
    ],
    [
      'what the client knows of a restart',
      { name: 'client_ended', reason: { cause: 'stopped', stopReason: 6, restartable: true } },
      { name: 'stopped', stopReason: 6, restartable: true },
      { kind: 'ended', reason: 6 },
    ],
    [
      'that an operator closed the stream',
      { name: 'operator_stop' },
      { name: 'stopped', stopReason: STOP_REASON.RECEIVER_REQUEST_CLOSE, restartable: false },
      { kind: 'ended', reason: STOP_REASON.RECEIVER_REQUEST_CLOSE },
    ],
    [
      'that the connection was lost',
      { name: 'stop_looked_up', reason: lost, stopReason: undefined },
      { name: 'lost', restartable: true },
      { kind: 'ended', reason: 'lost' },
    ],
    [
      'that Zoom refused',
      { name: 'stop_looked_up', reason: refused, stopReason: undefined },
      { name: 'refused', restartable: false },
      { kind: 'ended', reason: 'refused' },
    ],
    [
      'why another runner goes on',
      { name: 'hand_over', cause: 'revision' },
      { name: 'handed_over', cause: 'revision' },
      { kind: 'handed_over', cause: 'revision' },
    ],
    [
      'that a defect of ours ended it',
      { name: 'defect', place: 'step' },
      { name: 'defect' },
      { kind: 'defect' },
    ],
  ])('%s', (_title, input, why, result) => {
    const told = { ...result, atMs: NOW_MS };
    // Without its last event in Kinesis the row may say none of it.
    const unrecorded = { kind: 'unrecorded', of: told, atMs: NOW_MS };
    expect(endOf(STATES.streaming, input)).toEqual({ why, result: told, unrecorded });
  });

  const STOP: SessionInput = { name: 'stop_wanted', stopReason: 6 };
  test.each<[string, SessionInput, 'came_too_late' | 'no_room' | undefined, object]>([
    [
      'Zoom refused',
      { name: 'stop_looked_up', reason: refused, stopReason: undefined },
      undefined,
      { reason: 'refused', status: 9 },
    ],
    [
      'Zoom let nobody in',
      { name: 'stop_looked_up', reason: lost, stopReason: undefined },
      undefined,
      { reason: 'not_connected' },
    ],
    [
      'the start came too late to be let in',
      { name: 'stop_looked_up', reason: refused, stopReason: undefined },
      'came_too_late',
      { reason: 'came_too_late', status: 9 },
    ],
    [
      'no runner had room in time',
      { name: 'stop_looked_up', reason: lost, stopReason: undefined },
      'no_room',
      { reason: 'no_room' },
    ],
    ['Zoom stopped it first', STOP, undefined, { reason: 'stopped_first', stopReason: 6 }],
    [
      'Zoom stopped it while it waited for room',
      STOP,
      'no_room',
      { reason: 'no_room', stopReason: 6 },
    ],
    [
      'access was taken back',
      { name: 'begin', stopReason: 8 },
      undefined,
      { reason: 'revoked', stopReason: 8 },
    ],
    [
      'an operator ended it',
      { name: 'operator_stop' },
      undefined,
      { reason: 'operator_stop', stopReason: 20 },
    ],
    [
      'no address may be used',
      { name: 'cannot_connect', why: 'address_refused' },
      undefined,
      { reason: 'address_refused' },
    ],
    [
      'nothing signs',
      { name: 'cannot_connect', why: 'no_credentials' },
      'no_room',
      { reason: 'no_credentials' },
    ],
    [
      'the client may use no address',
      {
        name: 'stop_looked_up',
        reason: { cause: 'failed', restartable: false },
        stopReason: undefined,
      },
      undefined,
      { reason: 'address_refused' },
    ],
  ])('that the stream was never recorded, because %s', (_title, input, late, miss) => {
    const unserved = { epoch: 3, ...(late && { late }) };
    const { why } = endOf({ name: 'connecting', mayHandBack: false, unserved }, input);
    expect(why).toEqual({ name: 'missed', ...miss });
  });

  test.each<[string, SessionInput]>([
    ['before the claim', { name: 'begin', stopReason: 8 }],
    ['while it connects', { name: 'stop_wanted', stopReason: 8 }],
  ])('that a stream with earlier records was revoked, not missed, %s', (_title, input) => {
    const unserved = { epoch: 3, hasRecords: true } as const;
    const connecting = { name: 'connecting', mayHandBack: false, unserved } as const;
    expect(endOf(connecting, input).why).toMatchObject({ name: 'stopped', stopReason: 8 });
    const missed = { name: 'missed', reason: 'stopped_first', stopReason: 6 };
    expect(endOf(connecting, STOP).why).toEqual(missed);
  });

  test('where the event of a stream that was never recorded stands', () => {
    const { state } = nextSession(STATES.unserved, STOP, NOW_MS);
    const account = { sequence: 5, ledger: [] };
    const input: SessionInput = { name: 'finished', isRecorded: true, account };
    const finished = nextSession(state, input, NOW_MS + 500).state;
    const missed = { reason: 'stopped_first', stopReason: 6, atMs: NOW_MS, epoch: 3, ...account };
    expect(finished).toEqual({ name: 'ended', result: { kind: 'missed', missed, atMs: NOW_MS } });
  });

  test('that a runner could not connect to a stream it was given', () => {
    const { why } = endOf(STATES.given, { name: 'hand_back_due' });
    expect(why).toEqual({ name: 'handed_over', cause: 'unable' });
  });
});

test('only a signaling handshake counts as one', () => {
  const after = (info: { scope: string }) =>
    nextSession(STATES.reconnecting, { name: 'reconnected', info }, NOW_MS).state;
  expect(after({ scope: 'signaling' })).toEqual({ name: 'streaming', handshakeAtMs: NOW_MS });
  expect(after({ scope: 'audio' })).toEqual({ name: 'streaming', ...HANDSHAKE });
});

test('a connection that is back is logged with what the client knows of it', () => {
  const info = { scope: 'audio', attempt: 2, durationMs: 800 };
  const { effects } = nextSession(STATES.reconnecting, { name: 'reconnected', info }, NOW_MS);
  expect(effects).toEqual([
    { do: 'log', level: 'info', text: 'streaming', fields: { event: 'streaming', ...info } },
  ]);
});
