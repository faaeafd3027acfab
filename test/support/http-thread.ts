import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

/** Linux keeps one connection more than that for a server that does not take any. */
const SMALL_BACKLOG = 1;

/** Where both threads see what the server has done. */
export const STATE = { AWAKE: 0, CONNECTIONS: 1, ANSWERS: 2 } as const;

/** What the server's thread is told. */
export interface HttpThreadData {
  readonly state: Int32Array;
  readonly tls: { readonly key: string; readonly cert: string } | undefined;
  readonly backlog: number | undefined;
}

/** A server in a thread of its own, which answers every PutRecords call, whatever the thread of the test does meanwhile. */
export class HttpThread {
  readonly url: string;
  readonly #thread: Worker;
  readonly #state: Int32Array;
  readonly #fillers: readonly Socket[];

  private constructor(url: string, thread: Worker, state: Int32Array, fillers: Socket[]) {
    this.url = url;
    this.#thread = thread;
    this.#state = state;
    this.#fillers = fillers;
  }

  static start(tls?: HttpThreadData['tls']): Promise<HttpThread> {
    return HttpThread.#start(1, tls, undefined);
  }

  /**
   * One that sleeps, and takes no connection until it is woken. Its backlog is full, so the kernel drops what would open
   * another one: whoever connects hears nothing, as behind a firewall that drops.
   */
  static startFull(): Promise<HttpThread> {
    return HttpThread.#start(0, undefined, SMALL_BACKLOG);
  }

  static async #start(
    awake: 0 | 1,
    tls: HttpThreadData['tls'],
    backlog: number | undefined,
  ): Promise<HttpThread> {
    const state = new Int32Array(new SharedArrayBuffer(12));
    state[STATE.AWAKE] = awake;
    const thread = new Worker(new URL('./http-thread-server.ts', import.meta.url), {
      workerData: { state, tls, backlog } satisfies HttpThreadData,
    });
    const [port] = (await once(thread, 'message')) as [number];
    const fillers = backlog === undefined ? [] : await fill(port, backlog + 1);
    return new HttpThread(`${tls ? 'https' : 'http'}://localhost:${port}`, thread, state, fillers);
  }

  /** How many connections it has taken. */
  get connections(): number {
    return Atomics.load(this.#state, STATE.CONNECTIONS);
  }

  /** Wakes it. Resolves when its backlog has room. */
  async wake(): Promise<void> {
    const taken = once(this.#thread, 'message');
    Atomics.store(this.#state, STATE.AWAKE, 1);
    Atomics.notify(this.#state, STATE.AWAKE);
    await taken;
  }

  /** Blocks this thread until so many answers have left. */
  blockUntilAnswered(answers: number): void {
    let seen = Atomics.load(this.#state, STATE.ANSWERS);
    while (seen < answers) {
      if (Atomics.wait(this.#state, STATE.ANSWERS, seen, 10_000) === 'timed-out') {
        throw new Error('no answer has left');
      }
      seen = Atomics.load(this.#state, STATE.ANSWERS);
    }
  }

  async close(): Promise<void> {
    for (const filler of this.#fillers) filler.destroy();
    await this.#thread.terminate();
  }
}

async function fill(port: number, connections: number): Promise<Socket[]> {
  const fillers = Array.from({ length: connections }, () => connect(port, '127.0.0.1'));
  await Promise.all(fillers.map((filler) => once(filler, 'connect')));
  return fillers;
}
