/** What a piece of work carries, in the order in which it is given up when the backlog is full. */
const KINDS = ['video', 'deskshare', 'audio', 'text', 'event'] as const;

export type WorkKind = (typeof KINDS)[number];

/** One call of a callback. */
export interface Work {
  readonly kind: WorkKind;
  /** Who it is from: work of one source runs one after another, in order of arrival. */
  readonly source: string;
  readonly sizeBytes: number;
  /** Capture time, Unix ms. */
  readonly timestampMs: number;
  /** May throw, or return a promise that the next work of the source waits for. */
  run(): unknown;
  failed(error: unknown): void;
}

/** Work of one source that was given up, in one go. */
export interface DroppedWork {
  readonly kind: WorkKind;
  readonly source: string;
  readonly frames: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** What a waiting call costs beside its payload, bytes: bounds the number of tiny ones. */
const OVERHEAD_BYTES = 512;

interface Lane {
  readonly waiting: { readonly work: Work; readonly number: number }[];
  dropped: DroppedWork | undefined;
}

/**
 * Runs callbacks, each source on its own: a slow one delays its own source only.
 *
 * A source that is free runs at once, inside `push`. What arrives meanwhile waits, up to `maxBytes` for
 * all sources together; beyond that the oldest waiting video goes, then share, then audio, then text and
 * events, each reported when its source goes on.
 */
export class Backlog {
  readonly #maxBytes: number;
  readonly #onDropped: (dropped: DroppedWork) => void;
  /** Sources that are busy; a free one has no entry. */
  readonly #lanes = new Map<string, Lane>();
  #waitingBytes = 0;
  #pushed = 0;
  #idle = Promise.withResolvers<void>();
  readonly #released = Promise.withResolvers<void>();

  constructor(maxBytes: number, onDropped: (dropped: DroppedWork) => void) {
    this.#maxBytes = maxBytes;
    this.#onDropped = onDropped;
    this.#idle.resolve();
  }

  push(work: Work): void {
    const key = `${work.kind}/${work.source}`;
    const lane = this.#lanes.get(key);
    if (lane === undefined) {
      const running = start(work);
      if (running !== undefined) this.#occupy(key, running);
      return;
    }
    lane.waiting.push({ work, number: this.#pushed++ });
    this.#waitingBytes += cost(work);
    while (this.#waitingBytes > this.#maxBytes && this.#dropOldest());
  }

  /** Bytes of what waits, with what its bookkeeping costs. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /** @returns when nothing runs or waits, or after `timeoutMs`, and then what still waits is given up */
  async drained(timeoutMs: number): Promise<void> {
    const timeout = Promise.withResolvers<void>();
    const timer = setTimeout(timeout.resolve, timeoutMs);
    await Promise.race([this.#idle.promise, timeout.promise, this.#released.promise]);
    clearTimeout(timer);
    while (this.#dropOldest());
    for (const lane of this.#lanes.values()) this.#report(lane);
  }

  /** Gives up everything that waits, without a report: the program wants none of it. */
  discard(): void {
    for (const lane of this.#lanes.values()) {
      lane.waiting.length = 0;
      lane.dropped = undefined;
    }
    this.#waitingBytes = 0;
  }

  /** Ends the wait of `drained`, now and later: nobody waits for what runs any more. */
  release(): void {
    this.#released.resolve();
  }

  #occupy(key: string, running: Promise<void>): void {
    if (this.#lanes.size === 0) this.#idle = Promise.withResolvers();
    const lane: Lane = { waiting: [], dropped: undefined };
    this.#lanes.set(key, lane);
    void this.#work(key, lane, running);
  }

  async #work(key: string, lane: Lane, first: Promise<void>): Promise<void> {
    await first;
    for (let next = lane.waiting.shift(); next !== undefined; next = lane.waiting.shift()) {
      this.#waitingBytes -= cost(next.work);
      this.#report(lane);
      await start(next.work);
    }
    this.#report(lane);
    this.#lanes.delete(key);
    if (this.#lanes.size === 0) this.#idle.resolve();
  }

  #dropOldest(): boolean {
    for (const kind of KINDS) {
      let oldest: Lane | undefined;
      let lowest = Infinity;
      for (const lane of this.#lanes.values()) {
        const head = lane.waiting[0];
        if (head === undefined || head.work.kind !== kind || head.number >= lowest) continue;
        oldest = lane;
        lowest = head.number;
      }
      const gone = oldest?.waiting.shift();
      if (oldest === undefined || gone === undefined) continue;
      this.#waitingBytes -= cost(gone.work);
      oldest.dropped = addDropped(oldest.dropped, gone.work);
      return true;
    }
    return false;
  }

  #report(lane: Lane): void {
    const { dropped } = lane;
    lane.dropped = undefined;
    if (dropped !== undefined) this.#onDropped(dropped);
  }
}

function cost(work: Work): number {
  return work.sizeBytes + OVERHEAD_BYTES;
}

/** @returns undefined when the work is already done */
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
