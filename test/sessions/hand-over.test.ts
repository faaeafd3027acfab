import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { rtmsCommand } from '../support/rtms-command.ts';
import { AUDIO_ALONE, startWorld, type World } from '../support/world.ts';

const MEETING = syntheticMeeting({ durationMs: 600_000, transcriptEveryMs: 500 });

/** Waits for the end of a stream and says what of its audio was sent and not read, and read twice. */
async function endOf(world: World, rtmsStreamId: string) {
  world.simulator.act(rtmsStreamId, { do: 'stop', reason: 6 });
  const sent = await world.simulator.finished(rtmsStreamId);
  const ended = await world.event('session_ended', { rtmsStreamId });
  const received = ended.data.ledger.filter(({ mediaType }) => mediaType === 'audio');
  const expected = received.reduce((sum, { written }) => sum + written, 0);
  await world.until('all frames read', () => {
    return world.framesOf(rtmsStreamId, ended.epoch).length >= expected;
  });
  const frames = world.framesOf(rtmsStreamId);
  const distinct = new Set(frames.map(({ userId, capturedAtMs }) => `${userId}/${capturedAtMs}`));
  const sentFrames = sent.sources.reduce((sum, { frames: count }) => sum + count, 0);
  return { ended, lost: sentFrames - distinct.size, twice: frames.length - distinct.size };
}

// Side by side, each with runners of its own: what a runner does about SIGTERM is mostly waiting.
test.concurrent('hands over on SIGTERM without losing a frame', { timeout: 180_000 }, async () => {
  await using world = await startWorld({ runners: 2 });
  const rtmsStreamId = world.play(MEETING);
  await world.flowing(rtmsStreamId, 1);
  const { taskId } = await world.log('claimed', { rtmsStreamId });
  process.kill(world.pid(taskId), 'SIGTERM');
  await world.flowing(rtmsStreamId, 2);
  const { lost, twice, ended } = await endOf(world, rtmsStreamId);
  expect({ lost, twice, late: world.late.length }).toEqual({ lost: 0, twice: 0, late: 0 });
  const names = (epoch: number) =>
    world.eventsOf(rtmsStreamId).flatMap((event) => (event.epoch === epoch ? [event.name] : []));
  expect(names(1).at(-1)).toBe('session_handed_over');
  expect(names(2)[0]).toBe('session_taken_over');
  expect(ended.epoch).toBe(2);
  expect(world.ledger.report()).toMatchObject({ ok: true, problems: [] });
  await world.log('drained', { taskId });
});

test.concurrent('an audio session that was handed over is complete, for verify and export', {
  timeout: 180_000,
}, async () => {
  // Zoom keeps audio for who connects later: a deployment that records audio alone loses nothing by hand-overs.
  await using world = await startWorld({ runners: 2, media: AUDIO_ALONE });
  const id = world.play(syntheticMeeting({ durationMs: 600_000 }));
  await world.flowing(id, 1);
  const { taskId } = await world.log('claimed', { rtmsStreamId: id });
  process.kill(world.pid(taskId), 'SIGTERM');
  await world.flowing(id, 2);
  world.simulator.act(id, { do: 'stop', reason: 6 });
  await world.event('session_ended', { rtmsStreamId: id });

  const folder = await mkdtemp(join(tmpdir(), 'rtms-audio-'));
  try {
    const rtms = await rtmsCommand(world.stack, folder);
    const out = join(folder, 'out');
    const [verified, exported] = await Promise.all([
      rtms('verify', id),
      rtms('export', id, '--out', out),
    ]);
    expect(verified.stdout).toMatch(/^complete: everything is there$/m);
    expect(verified.code, verified.stdout).toBe(0);
    expect(exported.code, exported.stdout).toBe(0);
    const names = await readdir(out);
    expect(names).toContain('meeting.wav');
    expect(names).not.toContain('gaps.json');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
