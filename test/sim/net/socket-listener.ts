import { EventEmitter } from 'node:events';
import type { WebSocket } from 'ws';
import { type Machine, running } from '../world/machine.ts';
import { world } from '../world/world.ts';
import type { Link, LinkEnd } from './link.ts';

/** The simulated Zoom's end of a WebSocket: the part of `ws` that the simulator uses. */
class ServerSocket extends EventEmitter implements LinkEnd {
  readonly OPEN = 1;
  readonly machine: Machine;
  #state = 1;
  #link: Link | undefined;

  constructor(machine: Machine) {
    super();
    this.machine = machine;
  }

  attach(link: Link): void {
    this.#link = link;
  }

  /** The simulator asks for it before each message, also where it holds the message back: the ledger learns from it which link that is. */
  get readyState(): number {
    world().lastServerLink = this.#link;
    return this.#state;
  }

  send(data: string | Buffer): void {
    if (this.#state !== this.OPEN) return;
    this.#link?.send(this, { kind: 'message', data });
  }

  close(code: number): void {
    if (this.#state !== this.OPEN) return;
    this.#state = 2;
    this.#link?.send(this, { kind: 'closing', code });
  }

  terminate(): void {
    if (this.#state === 3) return;
    this.#link?.send(this, { kind: 'gone', how: 'reset', code: 1006 });
    this.#end(1006);
  }

  pause(): void {
    this.#link?.pauseServer(true);
    // The simulator sends nothing either, although it books what it does not send.
    if (this.#link) world().recorder.socket(this.#link, 'black_hole');
  }

  resume(): void {
    this.#link?.pauseServer(false);
  }

  message(data: string | Buffer): void {
    if (this.#state !== 3) this.emit('message', data);
  }

  closing(code: number): void {
    if (this.#state === this.OPEN) this.#link?.send(this, { kind: 'closing', code });
    this.#end(code);
  }

  gone(_how: 'closed' | 'reset', code: number): void {
    this.#end(code);
  }

  #end(code: number): void {
    if (this.#state === 3) return;
    this.#state = 3;
    this.emit('close', code);
  }
}

/** `listenForSockets` of the simulator, in memory. */
export async function listenForSockets(
  _tls: unknown,
  port: number,
  serve: (path: readonly string[]) => ((socket: WebSocket) => void) | undefined,
): Promise<{ url: string; close(): Promise<void> }> {
  const machine = running();
  if (machine === undefined) throw new Error('a server outside of every simulated process');
  const bound = world().listenForSockets(port, (path) => {
    const speak = serve(path);
    if (speak === undefined) return undefined;
    const end = new ServerSocket(machine);
    return {
      end,
      attach(link: Link) {
        end.attach(link);
        machine.after(0, () => speak(end as unknown as WebSocket));
      },
    };
  });
  return { url: `ws://127.0.0.1:${bound}`, close: async () => {} };
}
