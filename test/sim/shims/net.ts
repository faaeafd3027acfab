import { type ConnectOptions, MemorySocket } from '../net/memory-socket.ts';

export * from 'node:net';

export function connect(options: ConnectOptions): MemorySocket {
  return new MemorySocket(options, false);
}
