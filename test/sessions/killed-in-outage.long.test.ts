import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { EVERYTHING, startWorld } from '../support/world.ts';

/** Cameras enough that memory is full within seconds and the rest goes to the disk. */
const MEETING = syntheticMeeting({ durationMs: 600_000, participants: 12, video: true });
const MEBIBYTE = 1024 * 1024;

async function bytesIn(directory: string): Promise<number> {
  const names = await readdir(directory).catch(() => []);
  const sizes = names.map((name) => stat(join(directory, name)).catch(() => undefined));
  return (await Promise.all(sizes)).reduce((sum, file) => sum + (file?.size ?? 0), 0);
}

test('what a runner held that was killed during an outage of Kinesis is read from its disk or explained', {
  timeout: 90_000,
}, async () => {
  const disk = await mkdtemp(join(tmpdir(), 'killed-'));
  try {
    await using world = await startWorld({
      runners: 1,
      media: EVERYTHING,
      // Its replacement gets the same disk, as a container that restarts does.
      runner: { entry: 'runner/main.ts', environment: () => ({ SPOOL_DIR: disk }) },
    });
    const rtmsStreamId = world.play(MEETING);
    await world.flowing(rtmsStreamId, 1);
    const { taskId } = await world.log('claimed', { rtmsStreamId });
    const { faults } = world.stack.aws.kinesis;
    faults.set({ rules: [{ operation: 'PutRecords', stall: 'refuse' }] });
    const media = join(disk, 'media');
    await world.until('media on the disk', async () => (await bytesIn(media)) > MEBIBYTE, 30_000);
    process.kill(world.pid(taskId), 'SIGKILL');
    await world.until('its replacement', () =>
      world.logs.some((line) => line.event === 'runner_ready' && line.taskId !== taskId),
    );
    faults.clear();

    await world.flowing(rtmsStreamId, 2, 30_000);
    world.simulator.act(rtmsStreamId, { do: 'stop', reason: 6 });
    await world.event('session_ended', { rtmsStreamId, epoch: 2 }, 30_000);
    const report = await world.until(
      'a complete ledger',
      () => {
        const now = world.ledger.report();
        return now.ok && now;
      },
      20_000,
    );
    expect(report.problems).toEqual([]);
    expect(world.late).toEqual([]);
    const died = report.losses.filter(({ cause }) => cause === 'owner_lost');
    expect(died.length).toBeGreaterThan(0);
    expect(world.framesOf(rtmsStreamId, 1).some(({ mediaType }) => mediaType === 'video')).toBe(
      true,
    );
  } finally {
    await rm(disk, { recursive: true, force: true });
  }
});
