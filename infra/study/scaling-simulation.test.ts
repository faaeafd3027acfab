import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../shared/seeded-random.ts';
import { type MeetingArrival, officeMeetings } from './arrivals.ts';
import { type Policy, simulate } from './scaling-simulation.ts';

const POLICY: Policy = {
  minTasks: 2,
  maxTasks: 100,
  meetingsPerTask: 10,
  prewarmTasks: 0,
};

const burst = (count: number, startsAtSecond: number, lastsSeconds = 3600): MeetingArrival[] =>
  Array.from({ length: count }, () => ({ startsAtSecond, lastsSeconds }));

describe('simulate', () => {
  test('meetings that fit are served at once', () => {
    const outcome = simulate(burst(20, 30), POLICY, 10);
    expect(outcome).toMatchObject({ meetings: 20, longestWaitSeconds: 0, beyondBuffer: 0 });
    expect(outcome.running.at(-1)).toBe(20);
  });

  test('a burst beyond the free slots waits for the metric, the decision and the start of tasks', () => {
    const outcome = simulate(burst(30, 30), POLICY, 10);
    // Seen in the minute it happens, acted upon one minute later, served 45 s after that.
    expect(outcome.longestWaitSeconds).toBeGreaterThan(120);
    expect(outcome.longestWaitSeconds).toBeLessThan(240);
    expect(outcome.beyondBuffer).toBe(10);
    expect(outcome.running.at(-1)).toBe(30);
  });

  test('pre-warming spares the wait', () => {
    const meetings = burst(30, 3600);
    expect(simulate(meetings, POLICY, 70).beyondBuffer).toBe(10);
    expect(simulate(meetings, { ...POLICY, prewarmTasks: 3 }, 70).longestWaitSeconds).toBe(0);
  });

  test('target tracking arrives at 60 % utilization', () => {
    const { tasks } = simulate(burst(20, 30), POLICY, 30);
    expect(tasks.at(-1)).toBe(4);
  });

  test('scale-in stops idle tasks slowly, and none that holds sessions', () => {
    const { tasks, running } = simulate(burst(20, 30, 1200), POLICY, 120);
    expect(running.at(-1)).toBe(0);
    expect(tasks[22]).toBe(4);
    expect(tasks.at(-1)).toBe(2);
  });

  test('a steady load changes the number of tasks no more', () => {
    const { tasks } = simulate(burst(12, 30, 5 * 3600), POLICY, 240);
    const changes = tasks.filter((count, minute) => minute > 0 && count !== tasks[minute - 1]);
    expect(changes).toHaveLength(0);
    expect(tasks.at(-1)).toBe(2);
  });

  test('with the catcher a burst waits for no task, and tasks come without a metric', () => {
    const catcher = { gibibytes: 2, meetings: 20 };
    const outcome = simulate(burst(30, 30), { ...POLICY, minTasks: 0, catcher }, 20);
    expect(outcome).toMatchObject({ caught: 30, beyondBuffer: 0, longestWaitSeconds: 5 });
    // Two executions from 5 s after the start until three tasks serve, 45 s after they were asked for.
    expect(outcome.lambdaGbSeconds).toBeGreaterThan(2 * 2 * 40);
    expect(outcome.lambdaGbSeconds).toBeLessThan(2 * 2 * 80);
    expect(outcome.tasks[1]).toBe(3);
    expect(outcome.running.at(-1)).toBe(30);
  });

  test('scaling never goes beyond maxTasks', () => {
    const { tasks, running } = simulate(burst(500, 30), { ...POLICY, maxTasks: 20 }, 30);
    expect(Math.max(...tasks)).toBe(20);
    expect(Math.max(...running)).toBe(200);
  });
});

describe('officeMeetings', () => {
  const options = { perHour: 1000, hours: 2, quietSeconds: 3600 };

  test('office meetings are the same for the same seed, sorted by start', () => {
    const meetings = officeMeetings({ ...options, random: seededRandom(1) });
    expect(meetings).toEqual(officeMeetings({ ...options, random: seededRandom(1) }));
    expect(meetings).toHaveLength(2000);
    const starts = meetings.map(({ startsAtSecond }) => startsAtSecond);
    expect(starts).toEqual([...starts].sort((a, b) => a - b));
  });

  test('more than half of the office meetings start around the full hour', () => {
    const around = officeMeetings({ ...options, hours: 1, random: seededRandom(2) }).filter(
      ({ startsAtSecond }) => startsAtSecond >= 3540 && startsAtSecond < 3840,
    );
    expect(around.length).toBeGreaterThan(500);
    expect(around.length).toBeLessThan(650);
  });
});
