import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { startWorld, type World } from '../support/world.ts';

const MEETING = syntheticMeeting({ durationMs: 900_000 });
/**
 * Ten times 20 ms in a message: this process is Zoom, AWS and the consumer at once, and 5,000 messages a second of its own
 * would be what is measured.
 */
const MEDIA = JSON.stringify({
  audio: {
    codec: 'L16',
    sampleRate: 'SR_16K',
    channel: 'MONO',
    dataOpt: 'AUDIO_MULTI_STREAMS',
    sendRateMs: 200,
  },
  video: false,
  deskshare: false,
  transcript: false,
  chat: false,
});
const MEETINGS = 50;
const WITHIN_MS = 5_000;
const TASK_START_MS = 120_000;
/**
 * 50 times two voices of 32 KB/s are 3.2 MB/s, which fills eight shards to 40 %, as `records.capacity` plans it. Of four, one
 * or two would get more than they take: the backlog would grow without end, and no session moves while it does.
 */
const MEDIA_SHARDS = 8;

let world: World;
beforeAll(async () => {
  world = await startWorld({
    runners: 0,
    media: MEDIA,
    catcher: { taskStartMs: TASK_START_MS },
    mediaShards: MEDIA_SHARDS,
  });
}, 60_000);
afterAll(() => world[Symbol.asyncDispose](), 120_000);

test('50 meetings in 5 s without a task: audio within 8 s, moved to a task after 2 minutes, no frame lost', {
  timeout: 600_000,
}, async () => {
  const startedAtMs = new Map<string, number>();
  for (let index = 0; index < MEETINGS; index++) {
    startedAtMs.set(world.simulator.start(MEETING) ?? '', Date.now());
    await delay(WITHIN_MS / MEETINGS);
  }
  const streams = [...startedAtMs.keys()];
  const waits: number[] = [];
  for (const [rtmsStreamId, atMs] of startedAtMs) {
    const frame = await world.flowing(rtmsStreamId, 1, 60_000);
    waits.push(frame.readAtMs - atMs);
  }
  waits.sort((left, right) => left - right);
  const p99 = waits[Math.ceil(0.99 * waits.length) - 1] as number;
  process.stderr.write(
    `webhook to readable audio, ms: median ${waits[waits.length >> 1]}, p99 ${p99}\n`,
  );
  expect(p99).toBeLessThan(8_000);
  for (const rtmsStreamId of streams) await world.flowing(rtmsStreamId, 2, 300_000);
  const movedAfterMs = Date.now() - Math.min(...startedAtMs.values());
  process.stderr.write(`all moved to a task after ${Math.round(movedAfterMs / 1_000)} s\n`);
  expect(movedAfterMs).toBeGreaterThan(TASK_START_MS);
  const { catcher } = world.stack;
  await world.until('no execution runs', () => catcher?.function.running.length === 0, 60_000);

  for (const id of streams) world.simulator.act(id, { do: 'stop', reason: 6 });
  for (const rtmsStreamId of streams) {
    const sent = await world.simulator.finished(rtmsStreamId);
    const { epoch } = await world.event('session_ended', { rtmsStreamId }, 60_000);
    expect(epoch).toBe(2);
    const expected = sent.sources.reduce((sum, { frames }) => sum + frames, 0);
    const distinct = () =>
      new Set(world.framesOf(rtmsStreamId).map((one) => `${one.userId}/${one.capturedAtMs}`)).size;
    await world.until('all frames read', () => distinct() >= expected, 60_000);
    expect(world.framesOf(rtmsStreamId)).toHaveLength(expected);
  }
  expect(world.late).toEqual([]);
  expect(world.ledger.report()).toMatchObject({ ok: true, problems: [] });
});
