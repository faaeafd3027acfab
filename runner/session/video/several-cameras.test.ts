import { expect, test } from 'vitest';
import {
  ADA,
  BEN,
  CAM,
  follow,
  THREE_CAMERAS,
} from '../../../test/support/rtms/followed-cameras.ts';

/* Protocol V2 as our simulator speaks it: one video connection for each participant whose camera is recorded. */

const ALL = [ADA, BEN, CAM];

test.concurrent('three cameras are recorded at once, each picture once and in order', async () => {
  await using it = await follow('active-speaker', {}, { cameras: 3 });
  await it.log.until(() => ALL.every((userId) => it.pictures(userId) >= 10));
  expect(it.selected.at(-1)?.cameras).toEqual([
    { userId: ADA, userName: 'Ada' },
    { userId: BEN, userName: 'Ben' },
    { userId: CAM, userName: 'Cam' },
  ]);
  for (const userId of ALL) {
    const times = it.framesOf(userId).map(({ capturedAtMs }) => capturedAtMs);
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
  }
  expect(it.log.names()).not.toContain('interrupted');
  await it.expectAllRecorded();
});

test.concurrent("losing one camera's connection does not touch the others", async () => {
  await using it = await follow('active-speaker', {}, { cameras: 3 });
  await it.log.until(() => ALL.every((userId) => it.pictures(userId) >= 5));
  it.act({ do: 'cut_media', mediaType: 'video', userId: BEN, how: 'close' });
  await it.log.next('reconnected');
  const before = it.pictures(BEN);
  await it.log.until(() => it.pictures(BEN) >= before + 5);
  expect(it.log.of('interrupted')).toMatchObject([{ scope: 'video', userId: BEN }]);
  expect(it.log.of('reconnected')).toMatchObject([{ scope: 'video', userId: BEN }]);
  expect(it.log.of('gap').every(({ userId }) => userId === BEN)).toBe(true);
  // 25 pictures a second, none missing: of Ada and Cam nothing was interrupted.
  for (const userId of [ADA, CAM]) {
    const times = it.framesOf(userId).map(({ capturedAtMs }) => capturedAtMs);
    const steps = times.slice(1).map((time, index) => time - Number(times[index]));
    expect(new Set(steps), String(userId)).toEqual(new Set([40]));
  }
  await it.expectAllRecorded();
});

test.concurrent('a camera that Zoom refuses costs that camera alone', async () => {
  await using it = await follow('active-speaker', { behaviour: { maxCameras: 2 } }, { cameras: 3 });
  await it.log.until(() => [ADA, BEN].every((userId) => it.pictures(userId) >= 10));
  expect(it.pictures(CAM)).toBe(0);
  const refused = it.log.of('videoSubscribed').filter(({ status }) => status !== 0);
  expect(refused).toMatchObject([{ userId: CAM, status: 25 }]);
  expect(it.log.names()).not.toContain('interrupted');
  expect(it.client.state).toBe('streaming');
  await it.expectAllRecorded();
});

test.concurrent('whose camera goes off gives way to the next, and leaves no trouble behind', async () => {
  await using it = await follow({ pinned: ['Ada', 'Ben', 'Cam'] }, {}, { cameras: 2 });
  await it.log.until(() => [ADA, BEN].every((userId) => it.pictures(userId) >= 5));
  expect(it.pictures(CAM)).toBe(0);
  it.act({ do: 'video_off', userId: ADA });
  await it.log.until(() => it.pictures(CAM) >= 5);
  it.act({ do: 'video_on', userId: ADA });
  const before = it.pictures(ADA);
  await it.log.until(() => it.pictures(ADA) >= before + 5);
  const told = it.selected.map(({ cameras = [] }) =>
    cameras.map(({ userName }) => userName).join(),
  );
  expect(told.at(-1)).toBe('Ben,Ada');
  expect(it.log.names()).not.toContain('interrupted');
  expect(it.log.names()).not.toContain('gap');
  await it.expectAllRecorded();
});

test.concurrent('after a reconnect of the whole stream every camera is selected again', async () => {
  await using it = await follow('active-speaker', {}, { cameras: 3 });
  await it.log.until(() => ALL.every((userId) => it.pictures(userId) >= 5));
  it.act({ do: 'cut_signaling' });
  await it.log.next('reconnected');
  const before = new Map(ALL.map((userId) => [userId, it.pictures(userId)]));
  await it.log.until(() =>
    ALL.every((userId) => it.pictures(userId) >= (before.get(userId) ?? 0) + 5),
  );
  expect(it.missing).toEqual([]);
  await it.expectAllRecorded();
});

test.concurrent('a stream in which nobody has a camera yet is joined, and takes the first one that comes', async () => {
  const participants = THREE_CAMERAS.map((person) => ({ ...person, cameraOff: true }));
  await using it = await follow('active-speaker', { participants }, { cameras: 2 });
  await it.log.next('joined');
  it.act({ do: 'video_on', userId: BEN });
  await it.log.until(() => it.pictures(BEN) >= 5);
  expect(it.client.media.video).toMatchObject({ fps: 25 });
  await it.expectAllRecorded();
});

test.concurrent('asking for somebody who is not there costs nobody anything', async () => {
  await using it = await follow('active-speaker', {}, { cameras: 3 });
  await it.log.until(() => ALL.every((userId) => it.pictures(userId) >= 3));
  it.client.subscribeVideo(99, true);
  const isStranger = ({ userId }: { userId: number }) => userId === 99;
  await it.log.until(() => it.log.of('videoSubscribed').some(isStranger));
  expect(it.log.of('videoSubscribed').find(isStranger)).toMatchObject({ status: 4 });
  const before = it.pictures(CAM);
  await it.log.until(() => it.pictures(CAM) >= before + 3);
  expect(it.client.state).toBe('streaming');
  await it.expectAllRecorded();
});

test.concurrent('answers that name nobody belong to the selections in their order', async () => {
  const behaviour = { videoAnswerUserId: false };
  await using it = await follow('active-speaker', { behaviour }, { cameras: 3 });
  await it.log.until(() => ALL.every((userId) => it.pictures(userId) >= 5));
  expect(it.selected.at(-1)?.cameras?.map(({ userName }) => userName)).toEqual([
    'Ada',
    'Ben',
    'Cam',
  ]);
  expect(it.log.names()).not.toContain('other');
  await it.expectAllRecorded();
});
