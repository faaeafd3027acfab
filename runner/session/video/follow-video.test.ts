import { expect, test } from 'vitest';
import {
  ADA,
  BEN,
  CAM,
  follow,
  NAMES,
  THREE_CAMERAS,
} from '../../../test/support/rtms/followed-cameras.ts';

test.concurrent('the active speaker is followed, and again after a reconnect', async () => {
  await using it = await follow('active-speaker');
  await it.log.until(() => it.pictures(ADA) >= 10);
  it.act({ do: 'active_speaker', userId: BEN });
  await it.log.until(() => it.pictures(BEN) >= 10);
  expect(it.selected.map(({ userName }) => userName)).toEqual(['Ada', 'Ben']);
  const [first, second] = it.selected;
  // Three seconds, as camera-choice.test.ts has it to the ms; these are times of answers, of which the first one may be late.
  expect(Number(second?.timestampMs) - Number(first?.timestampMs)).toBeGreaterThanOrEqual(300);
  it.act({ do: 'cut_signaling' });
  const before = it.pictures(BEN);
  await it.log.next('reconnected');
  await it.log.until(() => it.pictures(BEN) >= before + 10);
  expect(it.pictures(CAM)).toBe(0);
  expect(it.missing).toEqual([]);
});

test.concurrent('pinned people are recorded in their order, cameras of others are not', async () => {
  await using it = await follow({ pinned: ['Cam', BEN] });
  await it.log.until(() => it.pictures(CAM) >= 5);
  it.act({ do: 'video_off', userId: CAM });
  await it.log.until(() => it.pictures(BEN) >= 5);
  it.act({ do: 'cut_media', mediaType: 'video', how: 'close' });
  const before = it.pictures(BEN);
  await it.log.until(() => it.pictures(BEN) >= before + 5);
  it.act({ do: 'leave', userId: BEN });
  while (it.selected.at(-1)?.userId !== undefined) await new Promise(setImmediate);
  expect(it.selected.map(({ follow: by, userName }) => `${by} ${userName}`)).toEqual([
    'pinned Cam',
    'pinned Ben',
    'pinned undefined',
  ]);
  await it.expectAllRecorded();
});

test.concurrent('with round-robin every camera is recorded for a while', async () => {
  await using it = await follow({ 'round-robin': 1 });
  await it.log.until(() => [ADA, BEN, CAM].every((userId) => it.pictures(userId) >= 15));
  expect(it.selected.slice(0, 3).map(({ userName }) => userName)).toEqual(NAMES);
  await it.expectAllRecorded();
});

test.concurrent('a selection before the video connection is up waits for it', async () => {
  await using it = await follow('active-speaker');
  // Cameras were on before we came, so the choice is made before there is anything to choose on.
  await it.log.next('videoSubscribed');
  const [chosen] = it.log.of('videoSubscribed');
  expect(chosen).toMatchObject({ userId: ADA, status: 0 });
  await it.log.until(() => it.pictures(ADA) >= 3);
});

test.concurrent('a camera that is on and does not come is told once, and asked for again', async () => {
  const participants = THREE_CAMERAS.map(({ video: _none, ...person }) => person);
  await using it = await follow('active-speaker', { participants }, { missingMs: 300 });
  await it.log.next('joined');
  it.act({ do: 'video_on', userId: ADA });
  await it.log.next('videoSubscribed', 2);
  expect(it.missing).toEqual([ADA]);
  expect(it.counts).toEqual(['VideoMissing']);
});
