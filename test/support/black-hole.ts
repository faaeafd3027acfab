import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

/** Linux keeps one connection more than that for a server that does not take any. */
const BACKLOG = 1;

/**
 * A server that does not take connections, and whose backlog is full: the kernel drops what would open another one, so
 * that whoever connects hears nothing, as behind a firewall that drops. It runs in a thread of its own, which sleeps.
 */
export class BlackHole {
  readonly url: string;
  readonly #thread: Worker;
  readonly #isOpen: Int32Array;
  readonly #fillers: readonly Socket[];

  private constructor(port: number, thread: Worker, isOpen: Int32Array, fillers: Socket[]) {
    this.url = `http://127.0.0.1:${port}`;
    this.#thread = thread;
    this.#isOpen = isOpen;
    this.#fillers = fillers;
  }

  static async start(): Promise<BlackHole> {
    const isOpen = new Int32Array(new SharedArrayBuffer(4));
    const thread = new Worker(new URL('./black-hole-thread.ts', import.meta.url), {
      workerData: { isOpen, backlog: BACKLOG },
    });
    const [port] = (await once(thread, 'message')) as [number];
    const fillers = Array.from({ length: BACKLOG + 1 }, () => connect(port, '127.0.0.1'));
    await Promise.all(fillers.map((filler) => once(filler, 'connect')));
    return new BlackHole(port, thread, isOpen, fillers);
  }

  /** From now on it takes connections, and answers every PutRecords call. Resolves when its backlog has room. */
  async open(): Promise<void> {
    const taken = once(this.#thread, 'message');
    Atomics.store(this.#isOpen, 0, 1);
    Atomics.notify(this.#isOpen, 0);
    await taken;
  }

  async close(): Promise<void> {
    for (const filler of this.#fillers) filler.destroy();
    await this.#thread.terminate();
  }
}
