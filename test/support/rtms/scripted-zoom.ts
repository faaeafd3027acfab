import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { MediaType } from '../../../rtms/protocol/media-type.ts';

/** What a server does with one message; `path` is `signaling` or a media type. */
export type Script = (path: string, message: Message, socket: WebSocket) => void;

export interface Message {
  readonly msg_type: number;
  readonly [field: string]: unknown;
}

export interface ScriptedZoom extends AsyncDisposable {
  readonly url: string;
  /** Open sockets by path, newest last. */
  sockets(path: string): WebSocket[];
  /** Messages received so far, by path. */
  readonly received: { readonly path: string; readonly message: Message }[];
  send(path: string, message: object | string): void;
}

/**
 * A WebSocket server that does only what it is told, for answers the simulator would never give.
 *
 * @param tls key and certificate of `localhost`: the address becomes `wss:`
 */
export async function startScriptedZoom(
  script: Script = accept(['audio']),
  tls?: { readonly key: string; readonly cert: string },
): Promise<ScriptedZoom> {
  const secure = tls && createServer(tls).listen(0, '127.0.0.1');
  const server = new WebSocketServer(secure ? { server: secure } : { host: '127.0.0.1', port: 0 });
  await once(secure ?? server, 'listening');
  const { port } = (secure ?? server).address() as AddressInfo;
  const url = secure ? `wss://localhost:${port}` : `ws://127.0.0.1:${port}`;
  const open: { path: string; socket: WebSocket }[] = [];
  const received: ScriptedZoom['received'] = [];
  server.on('connection', (socket, request) => {
    const path = (request.url ?? '/').slice(1);
    open.push({ path, socket });
    socket.on('close', () =>
      open.splice(
        open.findIndex((entry) => entry.socket === socket),
        1,
      ),
    );
    socket.on('error', () => {});
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as Message;
      received.push({ path, message });
      script(path, message, Object.assign(socket, { zoomUrl: url }));
    });
  });
  const sockets = (path: string) =>
    open.filter((entry) => entry.path === path).map((entry) => entry.socket);
  return {
    url,
    sockets,
    received,
    send(path, message) {
      const text = typeof message === 'string' ? message : JSON.stringify(message);
      for (const socket of sockets(path)) socket.send(text);
    },
    async [Symbol.asyncDispose]() {
      for (const { socket } of open) socket.terminate();
      const closed = once(secure ?? server, 'close');
      server.close();
      secure?.close();
      await closed;
    },
  };
}

/** Accepts every handshake and offers these media addresses. */
export function accept(offered: readonly (MediaType | 'all')[]): Script {
  return (_path, message, socket) => {
    if (message.msg_type === 1) sayHello(socket, offered);
    if (message.msg_type === 3) answer(socket, 4, 0);
  };
}

/** Message 2 with addresses on the same server. */
export function sayHello(socket: WebSocket, offered: readonly string[]): void {
  const { zoomUrl } = socket as WebSocket & { zoomUrl: string };
  const urls = Object.fromEntries(offered.map((path) => [path, `${zoomUrl}/${path}`]));
  socket.send(
    JSON.stringify({
      msg_type: 2,
      status_code: 0,
      reason: '',
      media_server: { server_urls: urls },
    }),
  );
}

export function answer(socket: WebSocket, msgType: 2 | 4, status: number): void {
  socket.send(JSON.stringify({ msg_type: msgType, status_code: status, reason: '' }));
}
