import { expect, test } from 'vitest';
import { simulateJoined } from '../test/support/rtms/simulated-client.ts';

const HOUR_MS = 3_600_000;

/** A system clock that somebody sets. */
const settable = () => {
  const wall = { stepMs: 0 };
  return { wall, now: () => Date.now() + wall.stepMs };
};

test.each([HOUR_MS, -HOUR_MS])(
  'a step of the system clock by %d ms before a loss ends nothing',
  async (stepMs) => {
    const { wall, now } = settable();
    await using it = await simulateJoined({ client: { now } });
    await it.play(200);
    wall.stepMs = stepMs;
    it.act({ do: 'cut_signaling', how: 'terminate' });
    const { durationMs } = await it.log.next('reconnected');
    expect(durationMs).toBeLessThan(10_000);
    await it.flow();
    expect(it.log.of('ended')).toEqual([]);
  },
);

test.each([HOUR_MS, -HOUR_MS])(
  'a step by %d ms while the connection is away neither shortens nor stretches the window',
  async (stepMs) => {
    const { wall, now } = settable();
    await using it = await simulateJoined({ client: { now, signalingWindowMs: 500 } });
    const lostAt = performance.now();
    await it.simulator.close();
    await it.log.next('interrupted');
    wall.stepMs = stepMs;
    expect(await it.ended()).toMatchObject({ cause: 'lost' });
    expect(performance.now() - lostAt).toBeGreaterThan(450);
  },
);

test('frames keep the wall clock: a step shows in their receive times', async () => {
  const { wall, now } = settable();
  await using it = await simulateJoined({ client: { now } });
  wall.stepMs = HOUR_MS;
  const [frame] = await it.play(100);
  expect(frame?.receivedAtMs).toBeGreaterThan(Date.now() + HOUR_MS - 60_000);
});
