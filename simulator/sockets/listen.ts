import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { ServiceError } from '../../shared/errors.ts';

/**
 * @param port 0: any free one
 * @param host another address, where others than this machine are to connect
 * @returns the port
 * @throws ServiceError `local/port-in-use`
 */
export async function listenLocally(
  server: Server,
  port: number,
  host = '127.0.0.1',
): Promise<number> {
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new ServiceError('local/port-in-use', `port ${port} is not free`, { cause });
  }
  return (server.address() as AddressInfo).port;
}
