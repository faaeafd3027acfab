import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { ServiceError } from '../../shared/errors.ts';

/** The only address on which the servers of this machine listen, unless somebody asks for another one. */
export const LOOPBACK = '127.0.0.1';

/**
 * Starts to listen. The simulator and the local stack open every port of theirs by this function.
 *
 * @param port 0 picks a free one
 * @param host another address than loopback, where other machines are to connect
 * @returns the port
 * @throws ServiceError `local/port-in-use` naming the port in `detail.port`; any other error as Node gives it
 */
export async function listen(server: Server, port: number, host = LOOPBACK): Promise<number> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
    throw new ServiceError('local/port-in-use', `port ${port} is in use`, {
      cause,
      detail: { port },
    });
  }
  return (server.address() as AddressInfo).port;
}

/**
 * Stops an HTTP server at once. Requests that wait for an answer lose their connection; sockets that were upgraded to
 * WebSocket are no longer the server's, and whoever took them closes them.
 *
 * @returns when the port is free
 */
export function closeServer(
  server: Server & Pick<HttpServer, 'closeAllConnections'>,
): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
