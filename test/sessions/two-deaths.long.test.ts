import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { rtmsCommand } from '../support/rtms-command.ts';
import { startWorld } from '../support/world.ts';

/*
 * The owner of a meeting freezes. Zoom takes it for a living one and lets nobody else in, so the task that claims the stream
 * records nothing before it is killed. What the third one says has to reach back to the first.
 */
const MEETING = syntheticMeeting({ durationMs: 600_000, transcriptEveryMs: 500 });
/** Longer than two owners in a row need to be found dead. */
const KEEP_ALIVE_MS = 12_000;
/** An owner that dies sooner after its claim counts as one that the stream has killed: two, and the stream is quarantined. */
const LONG_LIVED_MS = 8_000;
const TAKEOVER_MS = 60_000;
/** A heartbeat, every 3 s, and a second of what may not be written. */
const LAST_SEEN_MS = 4_000;

test('two owners that die in a row leave one blind time, and it is that of both', {
  timeout: 180_000,
}, async () => {
  await using world = await startWorld({
    runners: 3,
    behaviour: { keepAliveMs: KEEP_ALIVE_MS, keepAliveOnlyWhenIdle: false },
  });
  const rtmsStreamId = world.play(MEETING);
  const { capturedAtMs } = await world.flowing(rtmsStreamId, 1);
  await world.until('seconds of audio', () => {
    const last = world.framesOf(rtmsStreamId, 1).at(-1)?.capturedAtMs ?? 0;
    return last - capturedAtMs > LONG_LIVED_MS;
  });
  const first = await world.log('claimed', { rtmsStreamId, epoch: 1 });
  const frozenPid = world.pid(first.taskId);
  const frozenAtMs = Date.now();
  process.kill(frozenPid, 'SIGSTOP');
  try {
    const second = await world.log('claimed', { rtmsStreamId, epoch: 2 }, TAKEOVER_MS);
    process.kill(world.pid(second.taskId), 'SIGKILL');
    await world.log('claimed', { rtmsStreamId, epoch: 3 }, TAKEOVER_MS);
  } finally {
    process.kill(frozenPid, 'SIGKILL');
  }
  const back = await world.flowing(rtmsStreamId, 3, TAKEOVER_MS);
  world.simulator.act(rtmsStreamId, { do: 'stop', reason: 6 });
  await world.event('session_ended', { rtmsStreamId });
  expect(world.eventsOf(rtmsStreamId).filter(({ epoch }) => epoch === 2)).toEqual([]);

  const { data } = await world.event('session_taken_over', { rtmsStreamId, epoch: 3 });
  const told = data.blind?.find(({ mediaType }) => mediaType === 'transcript');
  expect(told?.fromMs).toBeGreaterThanOrEqual(frozenAtMs - LAST_SEEN_MS);
  expect(told?.fromMs).toBeLessThanOrEqual(frozenAtMs);
  expect(told?.toMs).toBeLessThanOrEqual(back.readAtMs);

  const folder = await mkdtemp(join(tmpdir(), 'rtms-two-deaths-'));
  try {
    const rtms = await rtmsCommand(world.stack, folder);
    const verified = await rtms('verify', rtmsStreamId);
    expect(verified.code, verified.stdout).toBe(1);
    expect(verified.stdout).toMatch(/^transcript may lack lines between .*: its runner was lost$/m);
    expect(verified.stdout).toMatch(/^incomplete: /m);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
