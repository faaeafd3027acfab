/** Kinds of work, in the order in which they are dropped when the backlog is full. */
const KINDS = ['video', 'deskshare', 'audio', 'text', 'event'] as const;

export type WorkKind = (typeof KINDS)[number];

/** One call of a callback that has to be made. */
export interface Work {
  readonly kind: WorkKind;
  /** Who the payload is from. Work of one source runs one after another, in order of arrival. */
  readonly source: string;
  readonly sizeBytes: number;
  /** Capture time, Unix ms. */
  readonly timestampMs: number;
  /** Makes the call. May throw, or return a promise that the next work of the source waits for. */
  run(): unknown;
  /** Called with what `run` threw, or rejected with. */
  failed(error: unknown): void;
}

/** Work of one source that was dropped, up to the next call of that source. */
export interface DroppedWork {
  readonly kind: WorkKind;
  readonly source: string;
  readonly frames: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Counted for each waiting call on top of its payload, bytes: without it, tiny calls would pile up unbounded. */
const OVERHEAD_BYTES = 512;

/** What waits for one busy source. */
interface SourceQueue {
  readonly waiting: { readonly work: Work; readonly number: number }[];
  dropped: DroppedWork | undefined;
}

/**
 * Runs callbacks, one at a time for each source, so that a slow callback delays its own source only.
 *
 * Work for a free source runs at once, inside `push`. Work for a busy one waits, up to `maxBytes` for all sources
 * together. Beyond that the oldest waiting video is dropped, then share, audio, text, and events last. What was
 * dropped is reported when the source runs its next work.
 */
export class Backlog {
  readonly #maxBytes: number;
  readonly #onDropped: (dropped: DroppedWork) => void;
  /** By kind and source. A free source has no entry. */
  readonly #busy = new Map<string, SourceQueue>();
  #waitingBytes = 0;
  #pushed = 0;
  #idle = Promise.withResolvers<void>();
  readonly #stopped = Promise.withResolvers<void>();

  constructor(maxBytes: number, onDropped: (dropped: DroppedWork) => void) {
    this.#maxBytes = maxBytes;
    this.#onDropped = onDropped;
    this.#idle.resolve();
  }

  push(work: Work): void {
    const key = `${work.kind}/${work.source}`;
    const queue = this.#busy.get(key);
    if (queue === undefined) {
      const running = start(work);
      if (running !== undefined) this.#occupy(key, running);
      return;
    }
    queue.waiting.push({ work, number: this.#pushed++ });
    this.#waitingBytes += heldBytes(work);
    while (this.#waitingBytes > this.#maxBytes && this.#dropOldest());
  }

  /** Bytes of what waits: payloads and OVERHEAD_BYTES for each. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** Waits until nothing runs or waits, for `timeoutMs` at most; then drops and reports what still waits. */
  async drained(timeoutMs: number): Promise<void> {
    const timeout = Promise.withResolvers<void>();
    const timer = setTimeout(timeout.resolve, timeoutMs);
    await Promise.race([this.#idle.promise, timeout.promise, this.#stopped.promise]);
    clearTimeout(timer);
    while (this.#dropOldest());
    for (const queue of this.#busy.values()) this.#report(queue);
  }

  /** Drops everything that waits, without a report: the program has left and expects no more calls. */
  dropAll(): void {
    for (const queue of this.#busy.values()) {
      queue.waiting.length = 0;
      queue.dropped = undefined;
    }
    this.#waitingBytes = 0;
  }

  /** Makes `drained` return without waiting for what runs, now and in every later call. */
  stopWaiting(): void {
    this.#stopped.resolve();
  }

  #occupy(key: string, running: Promise<void>): void {
    if (this.#busy.size === 0) this.#idle = Promise.withResolvers();
    const queue: SourceQueue = { waiting: [], dropped: undefined };
    this.#busy.set(key, queue);
    void this.#runQueue(key, queue, running);
  }

  async #runQueue(key: string, queue: SourceQueue, first: Promise<void>): Promise<void> {
    await first;
    for (let next = queue.waiting.shift(); next !== undefined; next = queue.waiting.shift()) {
      this.#waitingBytes -= heldBytes(next.work);
      this.#report(queue);
      await start(next.work);
    }
    this.#report(queue);
    this.#busy.delete(key);
    if (this.#busy.size === 0) this.#idle.resolve();
  }

  #dropOldest(): boolean {
    for (const kind of KINDS) {
      let oldest: SourceQueue | undefined;
      let lowest = Infinity;
      for (const queue of this.#busy.values()) {
        const head = queue.waiting[0];
        if (head === undefined || head.work.kind !== kind || head.number >= lowest) continue;
        oldest = queue;
        lowest = head.number;
      }
      const gone = oldest?.waiting.shift();
      if (oldest === undefined || gone === undefined) continue;
      this.#waitingBytes -= heldBytes(gone.work);
      oldest.dropped = addDropped(oldest.dropped, gone.work);
      return true;
    }
    return false;
  }

  #report(queue: SourceQueue): void {
    const { dropped } = queue;
    queue.dropped = undefined;
    if (dropped !== undefined) this.#onDropped(dropped);
  }
}

function heldBytes(work: Work): number {
  return work.sizeBytes + OVERHEAD_BYTES;
}

/** @returns a promise while the work runs; undefined when it is done already */
function start(work: Work): Promise<void> | undefined {
  try {
    const result = work.run();
    if (!isThenable(result)) return undefined;
    return Promise.resolve(result).then(
      () => undefined,
      (error: unknown) => work.failed(error),
    );
  } catch (error) {
    work.failed(error);
    return undefined;
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value;
}

function addDropped(before: DroppedWork | undefined, work: Work): DroppedWork {
  const { kind, source, timestampMs } = work;
  return {
    kind,
    source,
    frames: (before?.frames ?? 0) + 1,
    fromMs: before?.fromMs ?? timestampMs,
    toMs: timestampMs,
  };
}
