import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { rtmsCommand } from '../support/rtms-command.ts';
import { AUDIO_AND_TEXT, startWorld, type World } from '../support/world.ts';

/** Zoom keeps audio for who connects later: a deployment that records audio alone loses nothing by hand-overs. */

const AUDIO_ALONE = JSON.stringify({
  ...JSON.parse(AUDIO_AND_TEXT),
  transcript: false,
  chat: false,
});

let world: World;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rtms-audio-'));
  world = await startWorld({ runners: 2, media: AUDIO_ALONE });
}, 60_000);
afterAll(async () => {
  await world[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

test('an audio session that was handed over is complete, for verify and export', {
  timeout: 180_000,
}, async () => {
  const id = world.play(syntheticMeeting({ durationMs: 600_000 }));
  await world.flowing(id, 1);
  const { taskId } = await world.log('claimed', { rtmsStreamId: id });
  process.kill(world.pid(taskId), 'SIGTERM');
  await world.flowing(id, 2);
  world.simulator.act(id, { do: 'stop', reason: 6 });
  await world.event('session_ended', { rtmsStreamId: id });

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
});
