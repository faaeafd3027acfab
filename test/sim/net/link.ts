import type { Machine } from '../world/machine.ts';
import { world } from '../world/world.ts';
import { type Readable, readAt } from './arrivals.ts';

/** What one end of a connection is told. */
export interface LinkEnd {
  readonly machine: Machine;
  /** Text or bytes of one message. */
  message(data: string | Buffer): void;
  /** A close frame came. @param code as received */
  closing(code: number): void;
  /** The connection is gone. @param how `closed`: after a close handshake; `reset`: the other end, or the way to it, is gone */
  gone(how: 'closed' | 'reset', code: number): void;
}

type Parcel =
  | { readonly kind: 'message'; readonly data: string | Buffer }
  | { readonly kind: 'closing'; readonly code: number }
  | { readonly kind: 'gone'; readonly how: 'closed' | 'reset'; readonly code: number };

interface Queued {
  readonly dueMs: number;
  readonly parcel: Parcel;
}

/** What comes to the media sockets of a process is read this often, ms: the sockets of many streams are then read together. */
const MEDIA_READ_MS = 4;

/** One direction of a connection: in order, each message after the latency of its moment. */
class Way implements Readable {
  readonly #to: LinkEnd;
  readonly #readMs: number;
  #queue: Queued[] = [];
  #isWaiting = false;
  #lastDueMs = 0;
  #isPaused = false;
  /** Messages on their way. */
  waiting = 0;
  bytes = 0;

  /** @param readMs arrivals are read at multiples of it alone, ms; 0: at once */
  constructor(to: LinkEnd, readMs = 0) {
    this.#to = to;
    this.#readMs = readMs;
  }

  put(parcel: Parcel): void {
    const { scheduler } = world();
    const comesMs = scheduler.nowMs + world().latencyMs();
    const readMs = this.#readMs;
    const dueMs = readMs === 0 ? comesMs : Math.ceil(comesMs / readMs) * readMs;
    this.#lastDueMs = Math.max(this.#lastDueMs, dueMs);
    this.#queue.push({ dueMs: this.#lastDueMs, parcel });
    if (parcel.kind === 'message') {
      this.waiting += 1;
      this.bytes += parcel.data.length;
    }
    this.#wait();
  }

  /** What is on its way never arrives. @returns how many messages */
  drop(): number {
    return this.#dropUnless(() => false);
  }

  /** The same, and the other end keeps what its kernel has and it has not read, such as while it was frozen. */
  cut(): number {
    const { nowMs } = world().scheduler;
    return this.#dropUnless(({ dueMs }) => dueMs <= nowMs);
  }

  #dropUnless(isKept: (queued: Queued) => boolean): number {
    const before = this.waiting;
    this.#queue = this.#queue.filter(isKept);
    this.waiting = 0;
    this.bytes = 0;
    for (const { parcel } of this.#queue) {
      if (parcel.kind !== 'message') continue;
      this.waiting += 1;
      this.bytes += parcel.data.length;
    }
    return before - this.waiting;
  }

  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
    this.#wait();
  }

  #wait(): void {
    const [first] = this.#queue;
    if (this.#isWaiting || this.#isPaused || first === undefined) return;
    this.#isWaiting = true;
    readAt(this.#to.machine, first.dueMs, this);
  }

  read(): void {
    this.#isWaiting = false;
    this.#deliver();
    this.#wait();
  }

  /** As one read of a socket does, takes all that has arrived by now. */
  #deliver(): void {
    const { nowMs } = this.#to.machine.scheduler;
    while (!this.#isPaused) {
      const first = this.#queue[0];
      if (first === undefined || first.dueMs > nowMs) return;
      this.#queue.shift();
      const { parcel } = first;
      if (parcel.kind === 'message') {
        this.waiting -= 1;
        this.bytes -= parcel.data.length;
        this.#to.message(parcel.data);
      } else if (parcel.kind === 'closing') this.#to.closing(parcel.code);
      else this.#to.gone(parcel.how, parcel.code);
    }
  }
}

/** One WebSocket between a process and the simulated Zoom. */
export class Link {
  readonly id: number;
  readonly rtmsStreamId: string;
  readonly client: LinkEnd;
  readonly server: LinkEnd;
  readonly #toClient: Way;
  readonly #toServer: Way;
  #isSilent = false;
  isOver = false;

  constructor(
    id: number,
    rtmsStreamId: string,
    role: 'signaling' | 'media',
    client: LinkEnd,
    server: LinkEnd,
  ) {
    this.id = id;
    this.rtmsStreamId = rtmsStreamId;
    this.client = client;
    this.server = server;
    this.#toClient = new Way(client, role === 'media' ? MEDIA_READ_MS : 0);
    this.#toServer = new Way(server);
  }

  /** Sends to the other end. */
  send(from: LinkEnd, parcel: Parcel): void {
    if (this.#isSilent || this.isOver || !from.machine.mayAct()) return;
    (from === this.client ? this.#toServer : this.#toClient).put(parcel);
  }

  /** Bytes that the other end has not received yet. */
  unsent(from: LinkEnd): number {
    return (from === this.client ? this.#toServer : this.#toClient).bytes;
  }

  /** The server reads nothing for now. */
  pauseServer(isPaused: boolean): void {
    this.#toServer.pause(isPaused);
  }

  /** From now on nothing passes in either direction, and nobody is told. */
  goSilent(): void {
    this.#isSilent = true;
    this.#toClient.cut();
    this.#toServer.cut();
    world().recorder.socket(this, 'black_hole');
  }

  /** The connection breaks: what was on its way is lost, and both ends are told. */
  break(): void {
    if (this.isOver) return;
    const lost = this.#toClient.cut();
    this.#toServer.cut();
    const gone: Parcel = { kind: 'gone', how: 'reset', code: 1006 };
    this.#toClient.put(gone);
    this.#toServer.put(gone);
    this.over(lost);
  }

  /** The client's process has died: its kernel resets the connection. */
  clientDied(): void {
    if (this.isOver) return;
    const lost = this.#toClient.drop();
    if (!this.#isSilent) this.#toServer.put({ kind: 'gone', how: 'reset', code: 1006 });
    this.over(lost);
  }

  /** The connection has ended. @param lost messages to the client that were on their way */
  over(lost = 0): void {
    if (this.isOver) return;
    this.isOver = true;
    this.client.machine.sockets -= 1;
    world().links.delete(this);
    world().recorder.socket(this, lost > 0 ? 'broken' : 'ended', lost);
  }
}
