import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type WebSocket, WebSocketServer } from 'ws';
import { closeServer, listen } from './listen.ts';

/** A server of WebSockets. */
export interface SocketServer {
  /** `ws://` or `wss://`, host and port. */
  readonly url: string;
  /** Cuts every socket and stops listening. */
  close(): Promise<void>;
}

const MAX_CLIENT_MESSAGE_BYTES = 1024 * 1024;

/**
 * Accepts WebSockets, on loopback unless `host` says otherwise.
 *
 * @param tls PEM; undefined: plain `ws:`
 * @param port 0: any free one
 * @throws ServiceError `local/port-in-use`
 * @param serve gets the parts of the path; returns who speaks there, or undefined: no such server
 */
export async function listenForSockets(
  tls: { readonly key: string; readonly cert: string } | undefined,
  port: number,
  serve: (path: readonly string[]) => ((socket: WebSocket) => void) | undefined,
  host?: string,
): Promise<SocketServer> {
  const server = tls ? createTlsServer(tls) : createServer();
  const upgrader = new WebSocketServer({ noServer: true, maxPayload: MAX_CLIENT_MESSAGE_BYTES });
  const sockets = new Set<WebSocket>();
  server.on('upgrade', (request, socket, head) => {
    const speak = serve((request.url ?? '').split('/').slice(1));
    if (speak)
      upgrader.handleUpgrade(request, socket, head, (webSocket) => {
        sockets.add(webSocket);
        webSocket.on('close', () => sockets.delete(webSocket));
        speak(webSocket);
      });
    else socket.destroy();
  });
  const boundPort = await listen(server, port, host);
  return {
    url: `${tls ? 'wss' : 'ws'}://127.0.0.1:${boundPort}`,
    async close() {
      for (const socket of sockets) socket.terminate();
      await closeServer(server);
    },
  };
}
