import { expect, test } from 'vitest';
import { joinScripted } from '../../test/support/rtms/scripted-client.ts';
import { answer, type Script, sayHello } from '../../test/support/rtms/scripted-zoom.ts';
import { MEDIA_DATA_TYPE } from '../protocol/constants.ts';
import { MEDIA_TYPE_BIT, MEDIA_TYPES, type MediaType } from '../protocol/media-type.ts';
import { completeMediaRequest } from '../protocol/params.ts';
import type { RtmsClientOptions } from './options.ts';

const EVERYTHING = completeMediaRequest({ audio: { codec: 'L16' } });
const TYPE_OF_MESSAGE = { 14: 'audio', 15: 'video', 16: 'deskshare', 17: 'transcript', 18: 'chat' };

async function joinEverything(script: Script, options: Partial<RtmsClientOptions> = {}) {
  const leftOut = Promise.withResolvers<readonly object[]>();
  // `joined` waits for the last answer, however slow the machine.
  const everything = { mediaWaitMs: 15_000, media: EVERYTHING, ...options };
  const joined = await joinScripted(script, everything, (client) =>
    client.on('joined', (_media, reasons) => leftOut.resolve(reasons)),
  );
  return { ...joined, leftOut: leftOut.promise };
}

/** What a media server says to message 3: a status for the bits asked for on a path. */
function mediaServer(
  offered: readonly string[],
  judge: (path: string, bits: number, taken: ReadonlySet<string>) => number,
): Script {
  const open = new Set<string>();
  return (path, message, socket) => {
    if (message.msg_type === 1) sayHello(socket, offered);
    if (message.msg_type !== 3) return;
    const bits = Number(message['media_type']);
    const status = judge(path, bits, open);
    const key = `${path} ${bits}`;
    if (status === 0) {
      open.add(key);
      socket.on('close', () => open.delete(key));
    }
    answer(socket, 4, status);
    if (status !== 0) socket.close(1000);
  };
}

const bits = (...types: MediaType[]) => types.reduce((sum, type) => sum + MEDIA_TYPE_BIT[type], 0);
const DOCUMENTED = ['audio', 'video', 'transcript', 'all'];

/** Sends each type on the sockets of the path that was asked for it, and tells what the client makes of them. */
async function typesThatArrive(
  { zoom, log }: Awaited<ReturnType<typeof joinScripted>>,
  granted: Readonly<Record<string, readonly number[]>>,
) {
  const content = { user_id: 7, user_name: 'Mia', data: 'AAAA', timestamp: 1783000000000 };
  let sent = 0;
  for (const [path, masks] of Object.entries(granted)) {
    const mask = masks.reduce((sum, one) => sum | one, 0);
    for (const [msg_type, mediaType] of Object.entries(TYPE_OF_MESSAGE)) {
      if ((mask & (MEDIA_TYPE_BIT[mediaType as MediaType] | 32)) === 0) continue;
      zoom.send(path, { msg_type: Number(msg_type), content });
      sent += 1;
    }
  }
  const got = () => [
    ...log.of('frame').map((frame) => frame.mediaType),
    ...log.of('transcript').map(() => 'transcript' as const),
    ...log.of('chat').map(() => 'chat' as const),
  ];
  await log.until(() => got().length >= sent);
  return got().sort();
}

interface Case {
  readonly title: string;
  readonly offered: readonly string[];
  readonly judge: (path: string, bits: number, open: ReadonlySet<string>) => number;
  /** Bits asked for by path, in order, of the handshakes that were granted at the end. */
  readonly granted: Readonly<Record<string, readonly number[]>>;
  readonly leftOut?: readonly object[];
}

const refused = (status: number, ...types: MediaType[]) =>
  types.map((mediaType) => ({ mediaType, reason: 'refused', status }));

test.each<Case>([
  {
    title: 'share and chat go over `all` with their own bits, beside the split ones',
    offered: DOCUMENTED,
    judge: () => 0,
    granted: { audio: [1], video: [2], transcript: [8], all: [bits('deskshare', 'chat')] },
  },
  {
    title: 'types that the app may not have are left out, the others on that connection are not',
    offered: DOCUMENTED,
    judge: (path, asked) => (path === 'all' && (asked & 16) !== 0 ? 13 : 0),
    granted: { audio: [1], video: [2], transcript: [8], all: [4] },
    leftOut: refused(13, 'chat'),
  },
  {
    title: 'an `all` that takes one type a connection gets one each',
    offered: DOCUMENTED,
    judge: (path, asked) => (path === 'all' && ![1, 2, 4, 8, 16].includes(asked) ? 7 : 0),
    granted: { audio: [1], video: [2], transcript: [8], all: [4, 16] },
  },
  {
    title: 'an `all` that suffers nothing beside it gets everything (16)',
    offered: DOCUMENTED,
    judge: (path, _asked, open) => (path === 'all' && open.size > 0 ? 16 : 0),
    granted: { all: [32] },
  },
  {
    title: 'an `all` that takes everything or nothing gets everything (7)',
    offered: DOCUMENTED,
    judge: (path, asked) => (path === 'all' && asked !== 32 ? 7 : 0),
    granted: { all: [32] },
  },
  {
    title: 'an `all` that takes nothing at all costs share and chat only',
    offered: DOCUMENTED,
    judge: (path) => (path === 'all' ? 7 : 0),
    granted: { audio: [1], video: [2], transcript: [8] },
    leftOut: refused(7, 'deskshare', 'chat'),
  },
  {
    title: 'without `all` the types without an address are left out',
    offered: ['audio'],
    judge: () => 0,
    granted: { audio: [1] },
    leftOut: ['video', 'deskshare', 'transcript', 'chat'].map((mediaType) => ({
      mediaType,
      reason: 'not_offered',
    })),
  },
])('$title', async ({ offered, judge, granted, leftOut = [] }) => {
  const got: Record<string, number[]> = {};
  const script = mediaServer(offered, judge);
  await using it = await joinEverything((path, message, socket) => {
    script(path, message, socket);
  });
  expect(await it.leftOut).toEqual(leftOut);
  for (const path of Object.keys(granted)) {
    const open = it.zoom.sockets(path);
    expect(open, path).toHaveLength(granted[path]?.length ?? 0);
    const asked = it.zoom.received
      .filter((entry) => entry.path === path && entry.message.msg_type === 3)
      .map(({ message }) => Number(message['media_type']));
    got[path] = asked.slice(-(granted[path]?.length ?? 0)).sort((a, b) => a - b);
  }
  expect(got).toEqual(granted);
  const missing = leftOut.map((one) => (one as { mediaType: MediaType }).mediaType);
  const wanted = MEDIA_TYPES.filter((mediaType) => !missing.includes(mediaType));
  expect(await typesThatArrive(it, granted)).toEqual([...wanted].sort());
});

test('data that another connection carries too is told as unasked, not as a second frame', async () => {
  await using it = await joinEverything(mediaServer(DOCUMENTED, () => 0));
  await it.log.next('joined');
  const unasked: string[] = [];
  it.client.on('unasked', ({ mediaType }) => unasked.push(mediaType));
  const content = { user_id: 7, data: 'AAAA', timestamp: 1783000000000 };
  it.zoom.send('all', { msg_type: 14, content });
  it.zoom.send('all', { msg_type: 16, content });
  await it.log.next('frame');
  expect(unasked).toEqual(['audio']);
  expect(it.log.of('frame').map(({ mediaType }) => mediaType)).toEqual(['deskshare']);
});

test('a wanted type that no connection carries is taken from any connection, with its codec', async () => {
  const script = mediaServer(DOCUMENTED, (path) => (path === 'all' ? 7 : 0));
  await using it = await joinEverything(script);
  await it.log.next('joined');
  const content = { user_id: 7, data: 'AAAA', timestamp: 1783000000000 };
  it.zoom.send('video', { msg_type: 16, content });
  expect(await it.log.next('frame')).toMatchObject({ mediaType: 'deskshare', codec: 5 });
});

test('a reconnect asks at once in the form that Zoom accepted before', async () => {
  const script = mediaServer(DOCUMENTED, (path, _asked, open) =>
    path === 'all' && open.size > 0 ? 16 : 0,
  );
  await using it = await joinEverything(script);
  await it.log.next('joined');
  const before = it.zoom.received.filter(({ message }) => message.msg_type === 3).length;
  for (const socket of it.zoom.sockets('signaling')) socket.close(1000);
  await it.log.next('reconnected');
  const after = it.zoom.received.filter(({ message }) => message.msg_type === 3).slice(before);
  expect(after.map(({ path }) => path)).toEqual(['all']);
  expect(Object.keys(it.client.media)).toHaveLength(5);
});

test('a type that is refused after the session began is told as interrupted', async () => {
  let isRefused = false;
  const script = mediaServer(DOCUMENTED, (path) => (path === 'video' && isRefused ? 10 : 0));
  await using it = await joinEverything(script);
  await it.log.next('joined');
  isRefused = true;
  for (const socket of it.zoom.sockets('video')) socket.close(1000);
  await it.log.next('interrupted', 2);
  expect(it.log.of('interrupted')).toEqual([
    { scope: 'video', cause: 'connection_closed' },
    { scope: 'video', cause: 'status_10' },
  ]);
  expect(it.client.state).toBe('streaming');
});

test('a source whose connection is replaced by the one for everything has its gap told', async () => {
  let isRefused = false;
  const script = mediaServer(DOCUMENTED, (path, bits) =>
    isRefused && (path === 'video' || (path === 'all' && bits !== MEDIA_DATA_TYPE.ALL)) ? 7 : 0,
  );
  await using it = await joinEverything(script);
  await it.log.next('joined');
  const audio = (timestamp: number) => ({
    msg_type: 14,
    content: { user_id: 7, data: 'AAAA', timestamp },
  });
  const fromMs = 1783000000000;
  it.zoom.send('audio', audio(fromMs));
  await it.log.next('frame');
  isRefused = true;
  for (const socket of it.zoom.sockets('video')) socket.close(1000);
  await it.log.until(() => it.log.of('reconnected').some(({ scope }) => scope === 'audio'));
  it.zoom.send('all', audio(fromMs + 10_000));
  expect(await it.log.next('gap')).toEqual({
    mediaType: 'audio',
    userId: 7,
    fromMs,
    toMs: fromMs + 10_000,
  });
});
