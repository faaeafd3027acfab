import { describe, expect, test } from 'vitest';
import { RESTARTS, UNOWNED } from '../../../shared/session-table/session-row.ts';
import { judgeBlindTimes, mayLastUntil } from './blind-times.ts';
import { PlantedHistory } from './planted-history.ts';

const A = 'runner-1/1';
const B = 'runner-2/1';
const SECOND_MS = 1_000;

const socket = (process: string, id: number) =>
  ({ socket: id, process, rtmsStreamId: 's', role: 'media' }) as const;

/** A records 5 s, then nobody is connected for 20 s, then B is; the audio of that time comes later. */
function interruptedFor20s(endedReason?: number) {
  const history = new PlantedHistory().claim(A, 's');
  history.add('socket', { ...socket(A, 1), what: 'dialled' });
  for (let second = 0; second < 5; second++) {
    history.wait(SECOND_MS).frame({ capturedAtMs: history.nowMs });
  }
  const endedAtMs = history.nowMs;
  history.add('socket', { ...socket(A, 1), what: 'ended' });
  if (endedReason !== undefined) {
    const values = { ':reason': endedReason };
    history.write(A, 'SESSION#s', { update: 'SET endedReason = :reason', values }).apply();
    history.claim(B, 's');
  }
  history.wait(20 * SECOND_MS);
  if (endedReason === undefined) history.claim(B, 's');
  history.add('socket', { ...socket(B, 2), what: 'dialled' });
  for (let second = 1; second < 20; second++) {
    history.frame({ capturedAtMs: endedAtMs + second * SECOND_MS, socket: 2 });
  }
  return { history, endedAtMs, backAtMs: history.nowMs };
}

const line = (type: string, data: object, epoch = 2) => ({
  type,
  epoch,
  source: '',
  data: data as Readonly<Record<string, unknown>>,
});
const takenOver = (mediaType: string, fromMs: number, toMs: number) =>
  line('session_taken_over', { blind: [{ mediaType, fromMs, toMs }] });

describe('the judge of blind times finds', () => {
  test('a time that no record names', () => {
    const { history, endedAtMs } = interruptedFor20s();
    const [found] = judgeBlindTimes(history.events);
    // What is within two seconds of a connection may have been received.
    const [fromMs, toMs] = [endedAtMs + 3 * SECOND_MS, endedAtMs + 17 * SECOND_MS];
    expect(found?.words).toBe(
      `nobody was connected to s from ${fromMs} to ${toMs}, and no record names 15 moments of that`,
    );
  });

  test('a blind time that begins too late, as from the claim of an owner that recorded nothing', () => {
    const { history, endedAtMs, backAtMs } = interruptedFor20s();
    history.record(B, [takenOver('transcript', endedAtMs + 12 * SECOND_MS, backAtMs)]);
    expect(judgeBlindTimes(history.events)[0]?.words).toContain('no record names 7 moments');
  });

  test('a blind time of a media type that Zoom keeps', () => {
    const { history, endedAtMs, backAtMs } = interruptedFor20s();
    history.record(B, [takenOver('audio', endedAtMs, backAtMs)]);
    expect(judgeBlindTimes(history.events)).toHaveLength(1);
  });

  test('a time after an end for which Zoom gave a reason', () => {
    const { history } = interruptedFor20s();
    history.record(A, [line('session_ended', { stopReason: 6 }, 1)]);
    expect(judgeBlindTimes(history.events)).toHaveLength(1);
  });

  test('a connection that was interrupted, and is said to be back', () => {
    const { history } = interruptedFor20s();
    const lines = ['session_interrupted', 'session_reconnected'].map((type) => line(type, {}, 1));
    history.record(A, lines);
    expect(judgeBlindTimes(history.events)).toHaveLength(1);
  });

  test('a connection for audio that was interrupted, while nothing tells of the transcript', () => {
    const { history } = interruptedFor20s();
    history.record(A, [line('session_interrupted', { scope: 'audio' }, 1)]);
    expect(judgeBlindTimes(history.events)).toHaveLength(1);
  });
});

describe('the judge of blind times knows connections apart', () => {
  const down = (scope: string) => line('session_interrupted', { scope }, 1);
  const back = (scope: string) => line('session_reconnected', { scope }, 1);

  test.each<[string, ReturnType<typeof line>[], number]>([
    [
      'the transcript is down, and audio is back',
      [down('transcript'), down('audio'), back('audio')],
      0,
    ],
    [
      'the transcript is back, and audio is down',
      [down('transcript'), down('audio'), back('transcript')],
      1,
    ],
    [
      'signaling is back, and with it the transcript',
      [down('transcript'), down('signaling'), back('signaling')],
      1,
    ],
    [
      'signaling is back, and the transcript is not',
      [down('signaling'), back('signaling'), down('transcript')],
      0,
    ],
    [
      'signaling is down, and the transcript is not told to be',
      [down('signaling'), back('audio')],
      0,
    ],
  ])('%s', (_what, lines, problems) => {
    const { history } = interruptedFor20s();
    history.record(A, lines);
    expect(judgeBlindTimes(history.events)).toHaveLength(problems);
  });

  test('lost lines may have told an interruption of the transcript for as long as audio alone is back', () => {
    for (const [scope, problems] of [
      ['audio', 0],
      ['transcript', 1],
    ] as const) {
      const { history, endedAtMs } = interruptedFor20s();
      const lost = { mediaType: 'events', fromMs: endedAtMs, toMs: endedAtMs };
      history.record(A, [line('gap', lost, 1), back(scope)]);
      expect(judgeBlindTimes(history.events)).toHaveLength(problems);
    }
  });
});

describe('the judge of blind times allows', () => {
  test('a blind time of an owner whose media never flows, which goes on until the stream ends', () => {
    const { history, endedAtMs, backAtMs } = interruptedFor20s();
    const told = takenOver('transcript', endedAtMs, endedAtMs + 8 * SECOND_MS);
    history.record(B, [told, line('participant_joined', {})]);
    expect(judgeBlindTimes(history.events)).toHaveLength(1);
    history.record(B, [line('session_ended', { stopReason: 6, leftAtMs: backAtMs })]);
    expect(judgeBlindTimes(history.events)).toEqual([]);
  });

  test('a blind time that goes on until media flows, as its session_started says', () => {
    const { history, endedAtMs, backAtMs } = interruptedFor20s();
    history.record(B, [
      takenOver('transcript', endedAtMs, endedAtMs + 8 * SECOND_MS),
      line('session_started', { streamingAtMs: backAtMs }),
    ]);
    expect(judgeBlindTimes(history.events)).toEqual([]);
  });

  test.each<[string, (fromMs: number, toMs: number) => ReturnType<typeof line>]>([
    ['a blind time', (fromMs, toMs) => takenOver('transcript', fromMs, toMs)],
    [
      'a blind time that begins as late as clocks differ',
      (fromMs, toMs) => takenOver('transcript', fromMs + 4 * SECOND_MS, toMs),
    ],
    ['an interruption without an end', () => line('session_interrupted', {}, 1)],
    ['an end for which Zoom gave no reason', () => line('session_ended', {}, 1)],
    ['a stream that says that it was missed', () => line('session_missed', {})],
    [
      'a gap of the line that would have said it',
      (fromMs, toMs) => line('gap', { mediaType: 'events', fromMs, toMs }),
    ],
  ])('%s', (_what, lineOf) => {
    const { history, endedAtMs, backAtMs } = interruptedFor20s();
    history.record(B, [lineOf(endedAtMs, backAtMs)]);
    expect(judgeBlindTimes(history.events)).toEqual([]);
  });

  test('what comes after lost lines of the owner, of which one may have told an interruption, and not what a later line ends', () => {
    const reconnected = line('session_reconnected', {}, 1);
    for (const [after, problems] of [
      [[], 0],
      [[reconnected], 1],
    ] as const) {
      const { history, endedAtMs } = interruptedFor20s();
      const lost = { mediaType: 'events', fromMs: endedAtMs, toMs: endedAtMs };
      history.record(A, [line('gap', lost, 1), ...after]);
      expect(judgeBlindTimes(history.events)).toHaveLength(problems);
    }
  });

  test.each([
    ['somebody had ended the run before', 20, 0],
    ['Zoom had cut the run before short', 13, 1],
  ])('what comes before the first connection of a run, where %s', (_why, endedReason, problems) => {
    const { history } = interruptedFor20s(endedReason);
    expect(judgeBlindTimes(history.events)).toHaveLength(problems);
  });

  test('a lost stream for which somebody asks Zoom again', () => {
    const history = new PlantedHistory().claim(A, 's');
    history.add('socket', { ...socket(A, 1), what: 'dialled' }).frame({ capturedAtMs: 1 });
    history.add('socket', { ...socket(A, 1), what: 'ended' });
    history.record(A, [line('session_ended', {}, 1)]).claim(B, 's', { owner: RESTARTS });
    history.wait(20 * SECOND_MS).frame({ capturedAtMs: history.nowMs, socket: 2 });
    expect(judgeBlindTimes(history.events)).toEqual([]);
  });

  test('what an owner that was killed in an outage had not written yet, and no more than that', () => {
    const killed = () => {
      const history = new PlantedHistory().claim(A, 's');
      history.add('socket', { ...socket(A, 1), what: 'dialled' }).frame({ capturedAtMs: 1 });
      history.add('socket', { ...socket(A, 1), what: 'ended' });
      history.add('fault', { fault: 'kinesis', words: 'Kinesis takes nothing' });
      history.wait(20 * SECOND_MS).frame({ capturedAtMs: history.nowMs, socket: 2 });
      return history.wait(SECOND_MS).add('process', { process: A, what: 'killed' });
    };
    expect(judgeBlindTimes(killed().events)).toEqual([]);
    const after = killed();
    after.wait(SECOND_MS).frame({ capturedAtMs: after.nowMs, socket: 2 });
    expect(judgeBlindTimes(after.events)).toHaveLength(1);
    const accounted = killed().record(A, [line('session_handed_over', {}, 1)]);
    expect(judgeBlindTimes(accounted.events)).toHaveLength(1);
  });

  test.each([
    ['stood still until an outage', true, 0],
    ['was at work before an outage', false, 1],
  ])('what an owner that %s and was killed in it had not written', (_what, isFrozen, problems) => {
    const history = new PlantedHistory().claim(A, 's');
    history.add('socket', { ...socket(A, 1), what: 'dialled' }).frame({ capturedAtMs: 1 });
    history.add('socket', { ...socket(A, 1), what: 'ended' });
    if (isFrozen) history.add('process', { process: A, what: 'frozen' });
    history.wait(20 * SECOND_MS).frame({ capturedAtMs: history.nowMs, socket: 2 });
    history.wait(SECOND_MS).add('fault', { fault: 'kinesis', words: 'Kinesis takes nothing' });
    if (isFrozen) history.add('process', { process: A, what: 'thawed' });
    history.wait(SECOND_MS).add('process', { process: A, what: 'killed' });
    expect(judgeBlindTimes(history.events)).toHaveLength(problems);
  });

  test('what came before the first connection', () => {
    const history = new PlantedHistory().wait(30 * SECOND_MS).claim(A, 's');
    history.add('socket', { ...socket(A, 1), what: 'dialled' });
    history.frame({ capturedAtMs: history.nowMs - 20 * SECOND_MS });
    expect(judgeBlindTimes(history.events)).toEqual([]);
  });
});

test.each<[string, number, number]>([
  [
    'that an operator has stopped is nobody’s, from the moment at which its owner began to leave it',
    20,
    0,
  ],
  ['that Zoom has stopped is not excused by that', 6, 1],
])('a time of a stream %s', (_what, endedReason, problems) => {
  const { history, endedAtMs } = interruptedFor20s();
  const names = { '#reason': 'endedReason', '#at': 'endedAtMs' };
  const values = { ':reason': endedReason, ':at': endedAtMs };
  const update = 'SET #reason = :reason, #at = :at';
  history.write(A, 'SESSION#s', { update, names, values }).apply().answer();
  expect(judgeBlindTimes(history.events)).toHaveLength(problems);
});

test.each([
  ['an owner before dials, which has not heard of its successor', A, 0],
  ['its owner dials: another run', B, 1],
])('a time of a stream that an operator has stopped, in which %s', (_what, dialler, problems) => {
  const history = new PlantedHistory().claim(A, 's').claim(B, 's');
  history.add('socket', { ...socket(B, 2), what: 'dialled' });
  history.frame({ capturedAtMs: history.nowMs, socket: 2 }).wait(SECOND_MS);
  history.add('socket', { ...socket(B, 2), what: 'ended' });
  const names = { '#reason': 'endedReason', '#at': 'endedAtMs', '#owner': 'owner' };
  const values = { ':reason': 20, ':at': history.nowMs, ':none': UNOWNED };
  const update = 'SET #reason = :reason, #at = :at, #owner = :none';
  history.write(B, 'SESSION#s', { update, names, values }).apply().answer();
  for (const what of ['dialled', 'ended'] as const)
    history.add('socket', { ...socket(dialler, 3), what });
  history.wait(20 * SECOND_MS).frame({ capturedAtMs: history.nowMs, socket: 2 });
  expect(judgeBlindTimes(history.events)).toHaveLength(problems);
});

test('an outage that began before a stream may reach into it', () => {
  const at = { step: 1, atMs: 1_000, kind: 'fault', words: '' } as const;
  expect(mayLastUntil({ ...at, fault: 'kinesis' }, 251_000)).toBe(true);
  expect(mayLastUntil({ ...at, fault: 'kinesis' }, 251_001)).toBe(false);
  expect(mayLastUntil({ ...at, fault: 'kill' }, 2_000)).toBe(false);
});
