import { expect, test } from 'vitest';
import { Explanations, type Sent } from './explanations.ts';
import { PlantedHistory } from './planted-history.ts';

const STREAM = 'stream-1';
const A = 'runner-1/1';

/** A blind time of audio from 5 s on, by the clock of a runner, and a connection that may have died before. */
function whyIsMissing(capturedS: number, isDead: boolean): string | undefined {
  const history = new PlantedHistory();
  const fromMs = history.nowMs + 5_000;
  const socket = { socket: 1, process: A, rtmsStreamId: STREAM, role: 'media' } as const;
  history.add('socket', { ...socket, what: 'dialled' });
  if (isDead) history.add('socket', { ...socket, what: 'black_hole' });
  const blind = [{ mediaType: 'audio', fromMs, toMs: fromMs + 60_000 }];
  const unit = { rtmsStreamId: STREAM, epoch: 1, sequence: 1, data: { blind } };
  history.record(A, [{ ...unit, type: 'session_taken_over' }], { stream: 'events' });
  const sent: Sent = {
    rtmsStreamId: STREAM,
    mediaType: 'audio',
    source: '7',
    capturedAtMs: history.nowMs + capturedS * 1_000,
    atMs: history.nowMs + capturedS * 1_000,
    step: history.step,
    socket: 1,
  };
  return new Explanations(history.events).of(sent);
}

test.each([
  ['in the blind time', 20, false, 'blind'],
  ['in the blind time, into a dead connection', 20, true, 'blind'],
  ['right before it, as clocks differ', 4, false, 'blind'],
  ['right before it, into a dead connection', 4, true, 'lost_on_its_way'],
])('a frame that was sent %s', (_when, capturedS, isDead, why) => {
  expect(whyIsMissing(capturedS, isDead)).toBe(why);
});
