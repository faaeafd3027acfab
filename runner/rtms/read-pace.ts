import type { Socket } from 'node:net';

/** How long a socket rests after a read, ms. */
export const REST_MS = 50;
/** Resting sockets wake up in that many turns, so that they do not all come at once. */
const TURNS = 5;
/** A rest should save at least one read out of three. */
const MIN_MESSAGES_PER_REST = 1.5;
const RATE_WINDOW_MS = 500;
/** A read that brings more than half a TLS record is part of something large, with more to come. */
const LARGE_READ_BYTES = 8 * 1024;

/**
 * Lets a busy socket rest between reads. Zoom sends every 20 ms of audio by itself, and half of what receiving
 * it costs is being woken for it; a socket that rests brings two or three messages at once
 * (`docs/performance.md`). The kernel holds and acknowledges meanwhile what comes. Sockets on which little
 * comes, or something large, are read at once.
 */
export class ReadPace {
  readonly #socket: Socket;
  #messages = 0;
  #sinceMs = performance.now();
  #isBusy = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Notes one message. */
  message(): void {
    this.#messages += 1;
  }

  /** To be called after each read. @returns false: the socket is to stop reading; it will be woken up */
  goesOn(readBytes: number): boolean {
    const nowMs = performance.now();
    const elapsedMs = nowMs - this.#sinceMs;
    if (elapsedMs >= RATE_WINDOW_MS) {
      this.#isBusy = this.#messages * REST_MS >= MIN_MESSAGES_PER_REST * elapsedMs;
      this.#messages = 0;
      this.#sinceMs = nowMs;
    }
    if (!this.#isBusy || readBytes >= LARGE_READ_BYTES) return true;
    rest(this.#socket);
    return false;
  }
}

/** Resting sockets by the turn in which they lay down. */
const resting: Socket[][] = Array.from({ length: TURNS }, () => []);
let turn = 0;
let count = 0;
let timer: NodeJS.Timeout | undefined;

function rest(socket: Socket): void {
  resting[turn]?.push(socket);
  count += 1;
  timer ??= setInterval(wakeNext, REST_MS / TURNS);
}

function wakeNext(): void {
  turn = (turn + 1) % TURNS;
  const sockets = resting[turn] as Socket[];
  resting[turn] = [];
  count -= sockets.length;
  if (count === 0) {
    clearInterval(timer);
    timer = undefined;
  }
  for (const socket of sockets) socket.resume();
}
