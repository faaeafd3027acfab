import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { Socket, type SocketClosed, type SocketOptions } from './socket.ts';
import { Standstills } from './standstills.ts';

/** More than all sockets may read in one cycle of the event loop, and than the kernel holds. */
const MANY = 20_000;

let server: WebSocketServer;
let standstills: Standstills;
/** Monotonic ms, the test's own. */
let clockMs: number;
beforeEach(async () => {
  clockMs = 0;
  standstills = new Standstills(() => clockMs);
  server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  await once(server, 'listening');
});
afterEach(() => {
  standstills.stop();
  server.close();
});

/** A socket of ours, and the server's end of it. @param onMessage each of them takes some time */
async function connected(webSocket: SocketOptions['webSocket'], onMessage = () => {}) {
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<SocketClosed>();
  const accepted = once(server, 'connection');
  const { port } = server.address() as AddressInfo;
  const options: SocketOptions = {
    webSocket,
    connectTimeoutMs: 5_000,
    watchdogMs: 35_000,
    rest: { maxMs: 0, heldMs: 0 },
    now: () => clockMs,
    clock: () => clockMs,
    standstills,
  };
  new Socket(`ws://127.0.0.1:${port}/`, options, {
    opened: opened.resolve,
    message: onMessage,
    closed: closed.resolve,
  });
  await opened.promise;
  const [peer] = (await accepted) as [WebSocket];
  return { peer, closed: closed.promise };
}

/** The process has stood still until now. */
function standStill(): void {
  clockMs = 1_000;
  standstills.tick();
  clockMs = 21_000;
  standstills.tick();
}

describe.each(['lean', 'ws'] as const)('%s', (webSocket) => {
  test('a socket whose end is read behind much that waited is known to have been there until the standstill', async () => {
    let messages = 0;
    const { peer, closed } = await connected(webSocket, () => {
      messages += 1;
      clockMs += 1;
    });
    standStill();
    for (let count = 0; count < MANY; count++) peer.send('x'.repeat(1_000));
    peer.close();
    const { goneMs, sinceMs } = await closed;
    expect(messages).toBe(MANY);
    // Long after the second in which the end of one without anything to read counts so.
    expect(sinceMs).toBe(21_000 + MANY);
    expect(goneMs).toBe(1_000);
  });

  test.each([
    ['at once', 0, 1_000],
    ['within a second', 40, 1_000],
    ['later, as news', 60, undefined],
  ])('a socket without anything to read finds its end %s', async (_when, looks, goneMs) => {
    const { peer, closed } = await connected(webSocket);
    standStill();
    for (let look = 0; look < looks; look++) {
      await new Promise(setImmediate);
      clockMs += 20;
      standstills.look();
    }
    peer.terminate();
    expect((await closed).goneMs).toBe(goneMs);
  });
});
