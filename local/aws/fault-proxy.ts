import { connect, createServer, type Server, type Socket } from 'node:net';
import { LOOPBACK, listen } from '../../simulator/sockets/listen.ts';

/**
 * - `pass`: bytes flow both ways.
 * - `refuse`: the server is down: open and new connections are reset.
 * - `stall`: the server hangs: connections open, and no byte passes until the mode changes.
 * - `swallow`: the server does the work, and the connection breaks before the answer arrives.
 */
export type FaultMode = 'pass' | 'refuse' | 'stall' | 'swallow';

interface Pair {
  readonly client: Socket;
  readonly backend: Socket;
}

/**
 * A TCP proxy in front of a local AWS server. With it a test can take the server away and bring it back, at the same
 * address and with its state kept.
 */
export class FaultProxy {
  readonly url: string;
  readonly port: number;
  readonly #server: Server;
  readonly #backendPort: number;
  readonly #pairs = new Set<Pair>();
  #mode: FaultMode = 'pass';

  private constructor(server: Server, port: number, backendPort: number) {
    this.#server = server;
    this.#backendPort = backendPort;
    this.port = port;
    this.url = `http://${LOOPBACK}:${port}`;
    server.on('connection', (client: Socket) => this.#accept(client));
  }

  /** @throws ServiceError `local/port-in-use` */
  static async start(port: number, backendPort: number): Promise<FaultProxy> {
    const server = createServer({ noDelay: true });
    return new FaultProxy(server, await listen(server, port), backendPort);
  }

  get mode(): FaultMode {
    return this.#mode;
  }

  /** Applies to open connections and to new ones. */
  set mode(mode: FaultMode) {
    this.#mode = mode;
    if (mode === 'refuse') this.cut();
    for (const { client, backend } of this.#pairs) {
      if (mode === 'stall') {
        client.pause();
        backend.pause();
      } else {
        client.resume();
        backend.resume();
      }
    }
  }

  /** Resets every open connection, once. The mode stays as it is. */
  cut(): void {
    for (const { client, backend } of this.#pairs) {
      client.resetAndDestroy();
      backend.destroy();
    }
    this.#pairs.clear();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    client.on('error', () => client.destroy());
    if (this.#mode === 'refuse') {
      client.resetAndDestroy();
      return;
    }
    const backend = connect({ port: this.#backendPort, host: LOOPBACK, noDelay: true });
    backend.on('error', () => client.resetAndDestroy());
    const pair: Pair = { client, backend };
    this.#pairs.add(pair);
    const end = () => {
      this.#pairs.delete(pair);
      client.destroy();
      backend.destroy();
    };
    client.on('close', end).on('end', end);
    backend.on('close', end);
    client.on('data', (chunk) => forward(chunk, client, backend));
    backend.on('data', (chunk) => {
      if (this.#mode === 'swallow') client.resetAndDestroy();
      else forward(chunk, backend, client);
    });
    if (this.#mode === 'stall') client.pause();
  }
}

function forward(chunk: Buffer, from: Socket, to: Socket): void {
  if (to.write(chunk)) return;
  from.pause();
  to.once('drain', () => from.resume());
}
