import { afterEach, expect, test } from 'vitest';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { AUDIO_ALONE, startWorld, type World } from '../support/world.ts';

const MEETING = syntheticMeeting({ durationMs: 600_000 });
const SMALL = 'runner-1';
const LARGE = 'runner-2';
/** Audio alone weighs a third of a slot. */
const FILLS_SMALL = 3;

let world: World | undefined;
afterEach(async () => {
  await world?.[Symbol.asyncDispose]();
  world = undefined;
}, 60_000);

test('in quiet hours the last meeting of a task moves to a fuller one, loses no audio, and nothing new comes', {
  timeout: 120_000,
}, async () => {
  const packing = {
    from: '00:00',
    to: '23:59',
    // Far from midnight, at which the minute before is not part of it.
    timeZone: new Date().getUTCHours() < 12 ? 'Etc/GMT-6' : 'Etc/GMT+6',
    belowPercent: 30,
    sessions: 'audio',
    keepTasks: 1,
  };
  const here = await startWorld({
    runners: 1,
    media: AUDIO_ALONE,
    runner: {
      entry: 'runner/main.ts',
      environment: (taskId) => ({
        PACKING: JSON.stringify(packing),
        CAPACITY: taskId === SMALL ? '1' : '10',
      }),
    },
  });
  world = here;
  const start = async () => {
    const rtmsStreamId = here.play(MEETING);
    await here.flowing(rtmsStreamId, 1);
    return rtmsStreamId;
  };
  const stop = async (rtmsStreamId: string) => {
    here.simulator.act(rtmsStreamId, { do: 'stop', reason: 6 });
    await here.event('session_ended', { rtmsStreamId }, 30_000);
  };
  const ownerOf = async (rtmsStreamId: string) => (await here.row(rtmsStreamId)).owner;
  const first: string[] = [];
  for (let index = 0; index < FILLS_SMALL; index++) first.push(await start());
  await here.stack.fleet.start(1);
  const second = [await start(), await start()];
  expect(await Promise.all([...first, ...second].map(ownerOf))).toEqual([
    SMALL,
    SMALL,
    SMALL,
    LARGE,
    LARGE,
  ]);
  const [lonely = '', ...rest] = first;
  for (const rtmsStreamId of rest) await stop(rtmsStreamId);

  await here.log('packed', { taskId: SMALL, rtmsStreamId: lonely }, 60_000);
  expect(await here.row(lonely)).toMatchObject({ owner: LARGE, epoch: 2 });
  const { data } = await here.event('session_handed_over', { rtmsStreamId: lonely });
  expect(data.cause).toBe('packing');
  await here.flowing(lonely, 2);
  const later = await start();
  expect(await ownerOf(later)).toBe(LARGE);

  for (const rtmsStreamId of [lonely, ...second, later]) await stop(rtmsStreamId);
  const { sources } = await here.simulator.finished(lonely);
  const sent = sources.reduce((sum, { frames }) => sum + frames, 0);
  const read = () =>
    new Set(here.framesOf(lonely).map((f) => `${f.userId}/${f.capturedAtMs}`)).size;
  await here.until('the last frames', () => read() >= sent, 20_000);
  expect(read()).toBe(sent);
});
