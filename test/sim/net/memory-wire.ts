import type { Wire, WireHandlers, WireOptions, WireState } from '../../../rtms/wire/wire.ts';
import { type Machine, running } from '../world/machine.ts';
import { world } from '../world/world.ts';
import { Link, type LinkEnd } from './link.ts';

const scratch = Buffer.allocUnsafe(1024 * 1024);
/** How long to wait for the other side's close frame is the caller's; this is after it. */

/** The client's end of a WebSocket in memory: what `LeanWire` is over TCP. */
export class MemoryWire implements Wire, LinkEnd {
  readonly machine: Machine;
  readonly #handlers: WireHandlers;
  #link: Link | undefined;
  #state: WireState = 'connecting';
  #timer: NodeJS.Timeout | undefined;
  #sentClose = false;

  /** @throws TypeError when `url` is no WebSocket address */
  constructor(url: string, options: WireOptions, handlers: WireHandlers) {
    const address = new URL(url);
    if (address.protocol !== 'wss:' && address.protocol !== 'ws:')
      throw new TypeError('not a WebSocket address');
    const machine = running();
    if (machine === undefined) throw new Error('a socket outside of every simulated process');
    this.machine = machine;
    this.#handlers = handlers;
    this.#timer = setTimeout(() => {
      handlers.trouble('connect_timeout', new Error('no answer in time'));
      this.#close(1006);
    }, options.connectTimeoutMs);
    if (machine.mayAct()) this.#dial(address);
  }

  get state(): WireState {
    return this.#state;
  }

  get unsentBytes(): number {
    return this.#link?.unsent(this) ?? 0;
  }

  /** A read takes all that has arrived. */
  mayHaveMore(): boolean {
    return this.#state !== 'open';
  }

  send(text: string): void {
    this.#link?.send(this, { kind: 'message', data: text });
  }

  close(closeCode: number): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.#sentClose = true;
    this.#link?.send(this, { kind: 'closing', code: closeCode });
  }

  terminate(): void {
    if (this.#state === 'closed') return;
    this.#link?.send(this, { kind: 'gone', how: 'reset', code: 1006 });
    this.machine.after(0, () => this.#close(1006));
  }

  message(data: string | Buffer): void {
    if (this.#state === 'closed') return;
    const bytes = typeof data === 'string' ? scratch.subarray(0, scratch.write(data)) : data;
    this.#handlers.message(bytes);
  }

  closing(code: number): void {
    if (!this.#sentClose) this.#link?.send(this, { kind: 'closing', code });
    this.#close(code);
  }

  gone(how: 'closed' | 'reset', code: number): void {
    if (this.#state === 'closed') return;
    if (how === 'reset' && this.#state !== 'closing') {
      this.#handlers.trouble(
        'broken',
        Object.assign(new Error('ECONNRESET'), { code: 'ECONNRESET' }),
      );
    }
    this.#close(code);
  }

  #dial(address: URL): void {
    const { scheduler, latencyMs } = world();
    scheduler.after(latencyMs(), undefined, () => {
      const accepted = world().accept(Number(address.port), address.pathname.split('/').slice(1));
      if (accepted === 'silent') return;
      if (accepted === undefined) {
        this.machine.after(latencyMs(), () => {
          if (this.#state !== 'connecting') return;
          this.#handlers.trouble('connect_failed', new Error('ECONNREFUSED'));
          this.#close(1006);
        });
        return;
      }
      const path = address.pathname.split('/');
      const [, rtmsStreamId = ''] = path;
      const role = path.length > 3 ? 'media' : 'signaling';
      const link = new Link(world().nextId(), rtmsStreamId, role, this, accepted.end);
      world().links.add(link);
      this.machine.sockets += 1;
      world().recorder.socket(link, 'dialled', 0, role);
      this.machine.after(latencyMs(), () => {
        if (this.#state !== 'connecting') {
          link.send(this, { kind: 'gone', how: 'reset', code: 1006 });
          link.over();
          return;
        }
        this.#link = link;
        clearTimeout(this.#timer);
        this.#state = 'open';
        this.#handlers.opened();
      });
      accepted.attach(link);
    });
  }

  #close(code: number): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearTimeout(this.#timer);
    this.#link?.over();
    this.#handlers.closed(code);
  }
}
