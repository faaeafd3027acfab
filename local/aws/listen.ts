import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';
import { ServiceError } from '../../shared/errors.ts';

export const LOOPBACK = '127.0.0.1';

/**
 * Listens on loopback only.
 *
 * @param port 0 picks a free one
 * @returns the port
 * @throws ServiceError `local/port-in-use`
 */
export async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, LOOPBACK);
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

/** Stops an HTTP server at once. Requests that wait for an answer lose their connection. */
export function closeServer(server: HttpServer): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
