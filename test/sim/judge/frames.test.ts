import { describe, expect, test } from 'vitest';
import { STOP_REASON } from '../../../rtms/protocol/stop-reason.ts';
import { judgeFrames } from './frames.ts';
import { PlantedHistory } from './planted-history.ts';

const A = 'runner-1/1';
const B = 'runner-2/1';

const words = (history: PlantedHistory) => judgeFrames(history.events).map((found) => found.words);
const gap = (cause: string, fromMs: number, toMs: number) => ({
  type: 'gap',
  source: '',
  data: { mediaType: 'audio', userId: 7, count: 1, fromMs, toMs, cause },
});

/** Frames at 1000, 2000 … ms on socket 1 of runner 1. */
function sent(...capturedAtMs: number[]): PlantedHistory {
  const history = new PlantedHistory().claim(A, 's');
  const socket = { socket: 1, process: A, rtmsStreamId: 's', role: 'media' } as const;
  history.add('socket', { ...socket, what: 'opened' });
  for (const at of capturedAtMs) history.frame({ capturedAtMs: at });
  return history.wait(60_000);
}

const wrote = (history: PlantedHistory, ...capturedAtMs: number[]) =>
  history.record(
    A,
    capturedAtMs.map((at) => ({ sequence: at / 1000, capturedAtMs: at })),
  );

describe('the judge of frames finds', () => {
  test('a frame that is neither written nor named', () => {
    expect(words(wrote(sent(1000, 2000), 1000))).toEqual([
      's audio of 7 at 2000 was sent, and is neither written nor named',
    ]);
  });

  test('a frame that readers take twice', () => {
    const history = wrote(sent(1000), 1000);
    history.claim(B, 's').record(B, [{ epoch: 2, capturedAtMs: 1000 }]);
    expect(words(history)).toEqual([
      's audio of 7 at 1000 (epoch 1, number 1) is 2 times what readers take',
    ]);
  });

  test('a frame that readers take twice, whatever a line of a newer epoch says meanwhile', () => {
    const history = wrote(sent(1000), 1000);
    const line = { type: 'session_taken_over', epoch: 3, source: '', data: {} };
    history.claim(B, 's').record(B, [line], { stream: 'events' });
    history.record(B, [{ epoch: 2, capturedAtMs: 1000 }]);
    expect(words(history)).toHaveLength(1);
  });

  test('a frame that Zoom never sent', () => {
    expect(words(wrote(sent(1000), 1000, 2000))[0]).toContain('Zoom never sent it');
  });

  test('a gap that says revoked where Zoom has revoked nothing', () => {
    expect(words(sent(1000).record(A, [gap('revoked', 0, 5000)]))).toHaveLength(1);
  });

  test('a gap of another time, and a blind time of another media type', () => {
    const blind = [{ mediaType: 'video', fromMs: 0, toMs: 9000 }];
    const history = sent(1000).record(A, [gap('buffer_full', 1001, 5000)]);
    history.record(A, [{ type: 'session_taken_over', sequence: 2, data: { blind } }]);
    expect(words(history)).toHaveLength(1);
  });

  test.each<[string, (history: PlantedHistory) => unknown]>([
    ['is handed over', (h) => h.claim(B, 's')],
    ['is killed afterwards', (h) => h.add('process', { process: A, what: 'killed' })],
  ])('a frame of an epoch that says what it received and %s', (_what, then) => {
    const history = sent(1000).record(A, [{ type: 'session_handed_over' }]);
    then(history);
    expect(words(history)).toHaveLength(1);
  });

  test('a frame in the memory of a process that goes on', () => {
    const history = sent(1000).add('process', { process: B, what: 'killed' });
    expect(words(history)).toHaveLength(1);
  });

  test('a frame of an owner that claimed its own stream again for no reason', () => {
    expect(words(sent(1000).claim(A, 's'))).toHaveLength(1);
  });

  test('a frame that Zoom sends to a lost owner when media has flowed to the next one for long', () => {
    const history = sent().claim(B, 's');
    const data = { streamingAtMs: history.nowMs };
    history.record(B, [{ epoch: 2, type: 'session_started', data }]);
    expect(words(history.wait(2_000).frame({ capturedAtMs: 1000 }))).toEqual([]);
    expect(words(history.wait(1).frame({ capturedAtMs: 2000 }))).toHaveLength(1);
  });

  test('audio that left the buffer of Zoom too soon', () => {
    const history = new PlantedHistory().wait(5_000);
    history.frame({ capturedAtMs: history.nowMs - 29_000, notSent: 'buffer_full' });
    expect(words(history)[0]).toContain("left Zoom's buffer after 29000 ms");
  });

  test('a frame of which the last chunk is missing', () => {
    const part = { chunkIndex: 0, chunkCount: 2, capturedAtMs: 1000 };
    expect(words(sent(1000).record(A, [part]))).toHaveLength(1);
  });
});

const socket = { socket: 1, process: A, rtmsStreamId: 's', role: 'media' } as const;

describe('the judge of frames allows', () => {
  test.each<[string, (history: PlantedHistory) => unknown]>([
    ['that is written, and repeated', (h) => wrote(wrote(h, 1000), 1000)],
    ['that a gap names', (h) => h.record(A, [gap('spool_full', 1000, 1000)])],
    [
      'in a blind time',
      (h) => {
        const blind = [{ mediaType: 'audio', fromMs: 500, toMs: 1500 }];
        h.record(A, [{ type: 'session_reconnected', data: { blind } }]);
      },
    ],
    [
      'in the memory of a process that is killed',
      (h) => h.add('process', { process: A, what: 'killed' }),
    ],
    ['of an owner that was fenced', (h) => h.claim(B, 's')],
    [
      'of an owner that was frozen, and claimed its stream again',
      (h) => h.add('process', { process: A, what: 'frozen' }).claim(A, 's'),
    ],
  ])('a frame %s', (_what, then) => {
    const history = sent(1000);
    then(history);
    expect(words(history)).toEqual([]);
  });

  test('a frame into a socket that has gone silent, one on a socket that breaks, and one that Zoom revokes', () => {
    const silent = new PlantedHistory().add('socket', { ...socket, what: 'black_hole' });
    silent.frame({ capturedAtMs: 1000 });
    const broken = new PlantedHistory().add('socket', { ...socket, what: 'opened' });
    broken
      .frame({ capturedAtMs: 1000 })
      .wait(2_000)
      .add('socket', { ...socket, what: 'broken' });
    const revoked = sent(1000).record(A, [gap('revoked', 1000, 1000)]);
    const stop = {
      entityId: 'e',
      what: 'stopped',
      stopReason: STOP_REASON.STREAM_REVOKED,
    } as const;
    revoked.add('stream', { rtmsStreamId: 's', ...stop });
    for (const history of [silent, broken, revoked]) expect(words(history)).toEqual([]);
  });

  test.each([
    ['was closed while Zoom still held it back is not', 'ended', 3_000, 0],
    ['went silent while Zoom still held it back is not', 'black_hole', 3_000, 0],
    ['was closed after Zoom had sent it on is', 'ended', 6_000, 1],
  ] as const)('a frame whose socket %s', (_when, what, afterMs, problems) => {
    const history = new PlantedHistory()
      .claim(A, 's')
      .add('socket', { ...socket, what: 'dialled' });
    const words5s = 'Zoom does {"do":"stall_media","durationMs":5000} to s';
    history.add('fault', { fault: 'zoom', words: words5s });
    history.wait(1_000).frame({ capturedAtMs: 1000 }).wait(afterMs);
    history.add('socket', { ...socket, what }).wait(60_000);
    expect(words(history)).toHaveLength(problems);
  });

  test('audio that Zoom kept for a minute, and what it never keeps', () => {
    const history = new PlantedHistory();
    history.frame({ capturedAtMs: history.nowMs - 60_000, notSent: 'buffer_full' });
    history.frame({ capturedAtMs: 1, mediaType: 'video', notSent: 'not_connected' });
    expect(words(history)).toEqual([]);
  });
});
