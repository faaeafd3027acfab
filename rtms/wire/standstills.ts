/** The timer by which the process notices that it stood still. */
const TICK_MS = 500;
/** A tick that comes so much later was held up by more than a busy event loop. */
const LATE_MS = 1_000;
/** Sockets that may have more to read are looked at this often. */
const LOOK_MS = 20;
/**
 * So many looks in a row that find nothing unread, a second of them: what was still at the sender's end, because our buffer was full, takes
 * some round trips, and its end comes behind it.
 */
const QUIET_LOOKS = 50;

/** What is asked of a socket. */
export interface ReadSocket {
  /**
   * May more wait in it than has been read since the last call? So where its reading was interrupted, where it brought as much as a
   * buffer holds, and where it has come to its end, behind which nothing else will show that it was read.
   */
  mayHaveMore(): boolean;
}

/** One socket, from its opening to its end. */
export interface FollowedSocket {
  /**
   * @param ms when something was noticed of the socket, or read from it, monotonic
   * @returns that moment, or the beginning of the standstill in which it may have happened
   */
  knownUntil(ms: number): number;
  end(): void;
}

/** What sockets need of `Standstills`. */
export interface SocketFollower {
  follow(socket: ReadSocket): FollowedSocket;
}

/**
 * Remembers when this process stood still for more than a second: frozen by its host, stopped, or with a blocked event loop. A
 * connection that broke meanwhile is noticed only afterwards, as if it had just broken. Zoom keeps nothing but audio for it, and
 * nobody knows when within that time it broke; so the time in which nobody may have received anything begins with the standstill.
 *
 * Of a connection that did not break nothing is lost: what Zoom has sent waits in the socket.
 *
 * ```
 * process    at work ··· tick ┊ stands still                      ┊ goes on, reads what has come, finds the connection closed
 * connection up ···························· breaks
 * blind time                  ├────────────────────────────────────── ··· reconnected
 * ```
 *
 * How long what has come is read for, each socket says itself: after a minute it may be megabytes, behind those of a hundred
 * other sockets. A limit of time, a second from the end of the standstill, took the end of such a socket for news.
 *
 * All times are monotonic ms.
 */
export class Standstills implements SocketFollower {
  readonly #clock: () => number;
  readonly #timer = setInterval(() => this.tick(), TICK_MS).unref();
  readonly #followed = new Set<Followed>();
  #tickMs: number;
  #looks: NodeJS.Timeout | undefined;

  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
    this.#tickMs = clock();
  }

  follow(socket: ReadSocket): FollowedSocket {
    const followed = new Followed(socket, {
      // What is read right after a standstill may come before the tick.
      notice: () => this.#notice(),
      ended: () => void this.#followed.delete(followed),
    });
    this.#followed.add(followed);
    return followed;
  }

  /** The timer's. It is public for tests, which have their own clock. */
  tick(): void {
    const [fromMs, toMs] = [this.#tickMs, this.#clock()];
    this.#tickMs = toMs;
    if (!isLate(fromMs, toMs) || this.#followed.size === 0) return;
    for (const followed of this.#followed) followed.stoodStill(fromMs);
    this.#looks ??= setInterval(() => this.look(), LOOK_MS).unref();
  }

  /** The other timer's, which goes while sockets may have more to read. Between two looks the event loop has read them all. */
  look(): void {
    this.#notice();
    const nowMs = this.#clock();
    const behind = [...this.#followed].filter((followed) => followed.isBehind(nowMs));
    if (behind.length > 0) return;
    clearInterval(this.#looks);
    this.#looks = undefined;
  }

  stop(): void {
    clearInterval(this.#timer);
    clearInterval(this.#looks);
  }

  #notice(): void {
    if (isLate(this.#tickMs, this.#clock())) this.tick();
  }
}

class Followed implements FollowedSocket {
  readonly #socket: ReadSocket;
  readonly #process: { notice(): void; ended(): void };
  /** Since when the process stood still, and until when what had come to this socket meanwhile was read; not yet: undefined. */
  #last: { readonly fromMs: number; readonly readAtMs: number | undefined } | undefined;
  #quietLooks = 0;

  constructor(socket: ReadSocket, process: { notice(): void; ended(): void }) {
    this.#socket = socket;
    this.#process = process;
  }

  knownUntil(ms: number): number {
    this.#process.notice();
    if (this.#last === undefined) return ms;
    const { fromMs, readAtMs = Number.POSITIVE_INFINITY } = this.#last;
    return fromMs <= ms && ms <= readAtMs ? fromMs : ms;
  }

  end(): void {
    this.#process.ended();
  }

  stoodStill(fromMs: number): void {
    // What happened in a standstill before this one may not have been read yet.
    const isOne = this.#last !== undefined && this.#last.readAtMs === undefined;
    if (!isOne) this.#last = { fromMs, readAtMs: undefined };
    this.#quietLooks = 0;
    // What it has read until now says nothing of what is there.
    this.#socket.mayHaveMore();
  }

  isBehind(nowMs: number): boolean {
    if (this.#last === undefined || this.#last.readAtMs !== undefined) return false;
    this.#quietLooks = this.#socket.mayHaveMore() ? 0 : this.#quietLooks + 1;
    if (this.#quietLooks < QUIET_LOOKS) return true;
    this.#last = { ...this.#last, readAtMs: nowMs };
    return false;
  }
}

function isLate(fromMs: number, toMs: number): boolean {
  return toMs - fromMs > TICK_MS + LATE_MS;
}
