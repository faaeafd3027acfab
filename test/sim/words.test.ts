import { expect, test } from 'vitest';
import { sayEnd } from './words.ts';

test('a run ends with the line by which it is compared', () => {
  const run = { seed: 7, meetings: 200, hours: 4, meetingHours: 767.46, frames: 9, faults: 3 };
  const ended = { ...run, wallSeconds: 61.04, cpuSeconds: 120, problems: 0, hash: 'ab12' };
  expect(sayEnd(ended).split('\n')).toEqual([
    'played meeting_hours=767.5 frames=9 faults=3 cpu_s=120.0 meeting_hours_per_cpu_minute=384',
    'sim seed=7 meetings=200 virtual_hours=4 wall_s=61.0 problems=0 hash=ab12',
  ]);
});
