import { afterEach, expect, test } from 'vitest';
import { joinMedia, joinSignaling, type RawSocket } from '../../test/support/raw-client.ts';
import { type ManualClock, manualClock } from '../clock.ts';
import { type Simulator, startSimulator } from '../simulator.ts';

/* Protocol V2 in our reading: a video connection for each participant, subscribed to over signaling. */

const CAMERA = {
  kind: 'synthetic',
  fps: 25,
  frameBytes: 60,
  keyFrameBytes: 90,
  keyEvery: 25,
} as const;
const PEOPLE = [1, 2, 3].map((userId) => ({ userId, userName: `P${userId}`, video: CAMERA }));
const INDIVIDUAL = { video: { codec: 7, fps: 25, data_opt: 4 } };

let clock: ManualClock;
let simulator: Simulator;
let id: string;
let signaling: RawSocket;
let videoUrl: string;
afterEach(() => simulator.close());

async function start(maxCameras = 4): Promise<void> {
  clock = manualClock(1_738_392_033_699);
  simulator = await startSimulator({ clock, seed: 'cameras', behaviour: { maxCameras } });
  const meeting = { name: 'cameras', durationMs: 3_600_000, participants: PEOPLE };
  id = simulator.start(meeting) as string;
  const joined = await joinSignaling(simulator, id, { protocol_version: 2 });
  expect(joined.response.protocol_version).toBe(2);
  signaling = joined.signaling;
  videoUrl = joined.response.media_server.server_urls.video;
  signaling.send({ msg_type: 7, rtms_stream_id: id });
}

const join = (userId: unknown, version = 2) =>
  joinMedia(simulator, id, videoUrl, {
    protocol_version: version,
    media_type: 2,
    media_params: INDIVIDUAL,
    user_id: userId,
  });

async function select(userId: number, subscribe = true): Promise<number> {
  signaling.send({ msg_type: 28, user_id: userId, subscribe, timestamp: 1 });
  return (await signaling.next(29)).status_code;
}

async function picturesOf(socket: RawSocket): Promise<Set<number>> {
  await socket.caughtUp();
  return new Set(socket.take(15).map(({ content }) => content.user_id));
}

test('each camera comes over its own connection, once it is selected', async () => {
  await start();
  const sockets = await Promise.all([1, 2].map(async (userId) => (await join(userId)).media));
  clock.advance(200);
  for (const socket of sockets) expect(await picturesOf(socket)).toEqual(new Set());
  expect([await select(1), await select(2), await select(2)]).toEqual([0, 0, 44]);
  clock.advance(200);
  const [one, two] = sockets as [RawSocket, RawSocket];
  expect(await picturesOf(one)).toEqual(new Set([1]));
  expect(await picturesOf(two)).toEqual(new Set([2]));
  expect(await select(1, false)).toBe(0);
  clock.advance(200);
  expect(await picturesOf(one)).toEqual(new Set());
  expect(await picturesOf(two)).toEqual(new Set([2]));
});

test('a camera is refused before its connection, a second time, and beyond the limit', async () => {
  await start(2);
  expect(await select(1)).toBe(29);
  await join(1);
  expect((await join(1)).response.status_code).toBe(16);
  expect((await join(99)).response.status_code).toBe(4);
  await join(2);
  expect((await join(3)).response.status_code).toBe(25);
});

test('closing a deselected camera interrupts nothing, closing a selected one does', async () => {
  await start();
  const [one, two] = [(await join(1)).media, (await join(2)).media];
  expect([await select(1), await select(2), await select(1, false)]).toEqual([0, 0, 0]);
  await signaling.caughtUp();
  signaling.take(8);
  await one.close();
  await two.close();
  expect(await signaling.next(8)).toMatchObject({ state: 2, reason: 14 });
  clock.advance(0);
  await signaling.caughtUp();
  expect(signaling.take(8)).toEqual([]);
});

test('with version 1 the participant of message 3 is ignored', async () => {
  await start();
  const { media } = await join(1, 1);
  expect(await select(2)).toBe(0);
  clock.advance(200);
  expect(await picturesOf(media)).toEqual(new Set([2]));
});
