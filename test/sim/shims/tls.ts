import { type ConnectOptions, MemorySocket } from '../net/memory-socket.ts';

export * from 'node:tls';

export function connect(options: ConnectOptions): MemorySocket {
  return new MemorySocket(options, true);
}

/** Nothing is encrypted, so no certificates are read. */
export function createSecureContext(): object {
  return {};
}
