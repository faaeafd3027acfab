import { expect, test } from 'vitest';
import { type Script, startScriptedZoom } from '../../test/support/rtms/scripted-zoom.ts';
import { EventLog, QUICK } from '../../test/support/rtms/simulated-client.ts';
import { RtmsClient } from '../client.ts';
import { redialDelayMs } from './delays.ts';

/** A server whose connections never last: what it does once media could flow, and on which paths it hears again. */
interface Trouble {
  readonly path: 'signaling' | 'audio';
  readonly after?: Script;
  readonly ready?: (client: RtmsClient, addresses: readonly string[], handshakes: number) => void;
}

const TROUBLES: readonly (Trouble & { readonly name: string })[] = [
  {
    name: 'stream state INTERRUPTED after every handshake',
    path: 'signaling',
    after: (_path, message, socket) => {
      if (message.msg_type === 7) socket.send('{"msg_type":8,"state":2,"reason":13}');
    },
  },
  {
    name: 'a signaling socket that closes after every handshake',
    path: 'signaling',
    after: (_path, message, socket) => {
      if (message.msg_type === 7) socket.close(1000);
    },
  },
  {
    name: 'a media socket that closes after every handshake',
    path: 'audio',
    after: (path, message, socket) => {
      if (path === 'audio' && message.msg_type === 3) setImmediate(() => socket.close(1000));
    },
  },
  {
    name: 'an interrupted webhook after every handshake',
    path: 'signaling',
    ready: (client, [address = '']) => client.reconnect('interrupted', [address]),
  },
  {
    name: 'fail-over to and fro after every handshake',
    path: 'signaling',
    ready: (client, addresses, handshakes) =>
      client.reconnect('fail_over', [addresses[handshakes % 2] ?? '']),
  },
];

const HANDSHAKES = 7;

test.each(TROUBLES)('$name: every dial waits longer than the one before', async (trouble) => {
  const waits: number[] = [];
  let handshakes = 0;
  let client: RtmsClient | undefined;
  let addresses: string[] = [];
  await using zoom = await startScriptedZoom((path, message, socket) => {
    const isSignaling = path.startsWith('signaling');
    if (message.msg_type === 1) {
      const media = { server_urls: { audio: `${zoom.url}/audio` } };
      socket.send(JSON.stringify({ msg_type: 2, status_code: 0, media_server: media }));
    }
    if (message.msg_type === 3) socket.send('{"msg_type":4,"status_code":0}');
    if (message.msg_type === (trouble.path === 'audio' ? 3 : 1)) handshakes += 1;
    trouble.after?.(isSignaling ? 'signaling' : path, message, socket);
    if (message.msg_type === 7 && client) trouble.ready?.(client, addresses, handshakes);
  });
  addresses = [`${zoom.url}/signaling-a`, `${zoom.url}/signaling-b`];
  client = new RtmsClient({
    ...QUICK,
    random: () => 0.5,
    backoff: (pace, failed, random) => {
      waits.push(redialDelayMs(pace, failed, random));
      return 1;
    },
  });
  const log = new EventLog(client);
  client.join({
    product: 'meeting',
    entityId: 'm',
    rtmsStreamId: 's',
    signature: 'x',
    serverUrls: addresses.slice(0, 1),
  });
  await log.next('joined');
  while (handshakes < HANDSHAKES) await new Promise(setImmediate);
  await client.leave();
  // One wait before every handshake but the first; at the cap they stop growing.
  expect(waits.length).toBeGreaterThanOrEqual(HANDSHAKES - 1);
  expect(waits.slice(0, 5)).toEqual([750, 1_500, 3_000, 6_000, 7_500]);
});
