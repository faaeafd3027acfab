import { expect, test } from 'vitest';
import { joinScripted } from '../../test/support/rtms/scripted-client.ts';
import { type Script, sayHello } from '../../test/support/rtms/scripted-zoom.ts';
import { L16_ONLY } from '../../test/support/rtms/simulated-client.ts';
import type { RtmsClientOptions } from './options.ts';

const OPUS = 4;
const frame = (index: number) => ({
  msg_type: 14,
  content: {
    user_id: 7,
    data: Buffer.alloc(100, index).toString('base64'),
    timestamp: 1783000000000 + index * 20,
  },
});

async function joinEarly(script: Script, options: Partial<RtmsClientOptions> = {}) {
  const payloads: number[] = [];
  const joined = await joinScripted(script, { media: L16_ONLY, ...options }, (client) =>
    client.on('frame', ({ payload }) => payloads.push(payload[0] ?? -1)),
  );
  return { ...joined, payloads };
}

/** Frames before message 4, message 4, frames after it; message 7 changes nothing. */
const early: Script = (path, message, socket) => {
  if (message.msg_type === 1) sayHello(socket, ['audio']);
  if (message.msg_type !== 3) return;
  for (const index of [0, 1, 2]) socket.send(JSON.stringify(frame(index)));
  const params = { audio: { codec: OPUS } };
  socket.send(JSON.stringify({ msg_type: 4, status_code: 0, media_params: params }));
  for (const index of [3, 4]) socket.send(JSON.stringify(frame(index)));
  expect(path).toBe('audio');
};

test.each([false, true])(
  'frames before message 4 come after `joined`, in order, with its codec (lent payloads: %s)',
  async (lendPayloads) => {
    await using it = await joinEarly(early, { lendPayloads });
    await it.log.next('frame', 5);
    const names = it.log.names().filter((name) => name === 'joined' || name === 'frame');
    expect(names).toEqual(['joined', ...Array(5).fill('frame')]);
    expect(it.payloads).toEqual([0, 1, 2, 3, 4]);
    expect(it.log.of('frame').map(({ codec }) => codec)).toEqual(Array(5).fill(OPUS));
  },
);

test('early frames beyond the limit are told as lost one by one, and the others come', async () => {
  await using it = await joinEarly(early, { maxHeldBytes: 1_300 });
  await it.log.next('frame', 2);
  await it.log.until(() => it.log.of('malformed').length + it.log.of('frame').length >= 5);
  expect(it.payloads.slice(0, 2)).toEqual([0, 1]);
  for (const lost of it.log.of('malformed')) {
    expect(lost).toMatchObject({
      mediaType: 'audio',
      userId: 7,
      error: { code: 'rtms/early-media' },
    });
  }
  expect(it.log.of('malformed').length).toBeGreaterThan(0);
});

test('frames whose parameters never come are told as lost', async () => {
  await using it = await joinEarly((path, message, socket) => {
    if (message.msg_type === 1) sayHello(socket, ['audio']);
    if (message.msg_type !== 3 || path !== 'audio') return;
    socket.send(JSON.stringify(frame(0)));
    socket.send('{"msg_type":4,"status_code":9}');
  });
  expect(await it.log.next('ended')).toMatchObject({ cause: 'refused', status: 9 });
  expect(it.log.of('frame')).toEqual([]);
  expect(it.log.of('malformed')).toMatchObject([{ mediaType: 'audio', userId: 7 }]);
});

test('early frames of a socket that was redialled are held too', async () => {
  await using it = await joinEarly(early);
  await it.log.next('frame', 5);
  for (const socket of it.zoom.sockets('audio')) socket.close(1000);
  await it.log.next('frame', 10);
  expect(it.payloads.slice(5)).toEqual([0, 1, 2, 3, 4]);
  expect(it.log.of('frame').every(({ codec }) => codec === OPUS)).toBe(true);
});

/** Media over the signaling socket: before message 2, between 2 and 4, and after the join. */
const earlyOnSignaling: Script = (path, message, socket) => {
  if (message.msg_type === 1) {
    for (const index of [0, 1]) socket.send(JSON.stringify(frame(index)));
    sayHello(socket, ['audio']);
    for (const index of [2, 3]) socket.send(JSON.stringify(frame(index)));
  }
  if (message.msg_type === 7) socket.send(JSON.stringify(frame(4)));
  if (message.msg_type !== 3) return;
  expect(path).toBe('audio');
  const params = { audio: { codec: OPUS } };
  socket.send(JSON.stringify({ msg_type: 4, status_code: 0, media_params: params }));
};

test.each([false, true])(
  'media on the signaling socket waits for its parameters, too (lent payloads: %s)',
  async (lendPayloads) => {
    await using it = await joinEarly(earlyOnSignaling, { lendPayloads });
    await it.log.next('frame', 5);
    const names = it.log.names().filter((name) => name === 'joined' || name === 'frame');
    expect(names).toEqual(['joined', ...Array(5).fill('frame')]);
    expect(it.payloads).toEqual([0, 1, 2, 3, 4]);
    expect(it.log.of('frame').map(({ codec }) => codec)).toEqual(Array(5).fill(OPUS));
  },
);

test('media on a redialled signaling socket waits for the new parameters', async () => {
  await using it = await joinEarly(earlyOnSignaling);
  await it.log.next('frame', 5);
  for (const socket of it.zoom.sockets('signaling')) socket.close(1000);
  await it.log.next('frame', 10);
  expect(it.payloads.slice(5)).toEqual([0, 1, 2, 3, 4]);
  const names = it.log.names();
  const [first = 0] = names.flatMap((name, index) => (name === 'frame' ? [index] : [])).slice(5);
  expect(names.indexOf('reconnected')).toBeLessThan(first);
  expect(it.log.of('frame').every(({ codec }) => codec === OPUS)).toBe(true);
});

test('media on the signaling socket whose parameters never come is told as lost, not as frames', async () => {
  await using it = await joinEarly((_path, message, socket) => {
    if (message.msg_type === 1) {
      socket.send(JSON.stringify(frame(0)));
      sayHello(socket, ['audio']);
      socket.send(JSON.stringify(frame(1)));
    }
    if (message.msg_type === 3) socket.send('{"msg_type":4,"status_code":9}');
  });
  await it.log.next('ended');
  expect(it.log.of('frame')).toEqual([]);
  expect(it.log.of('malformed')).toMatchObject(
    [0, 1].map(() => ({ mediaType: 'audio', userId: 7, error: { code: 'rtms/early-media' } })),
  );
  expect(it.log.names().at(-1)).toBe('ended');
});

test('media on the signaling socket that is not wanted is told as unasked, not as frames', async () => {
  await using it = await joinEarly(early);
  const unasked: string[] = [];
  it.client.on('unasked', ({ mediaType }) => unasked.push(mediaType));
  await it.log.next('frame', 5);
  it.zoom.send('signaling', { ...frame(9), msg_type: 15 });
  it.zoom.send('signaling', frame(5));
  await it.log.next('frame', 6);
  expect(unasked).toEqual(['video']);
  expect(it.log.of('frame').map(({ mediaType }) => mediaType)).toEqual(Array(6).fill('audio'));
});
