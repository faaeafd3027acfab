import type { SpeakerLane, SpeechBlock } from '../../../../sdk/consumer/index.ts';
import type { Heard } from './results.ts';

/** A connection to a recogniser. Its times count the sound that it was sent, from 0, in ms. */
export interface Recogniser {
  /** Rejects when the connection is gone. Resolves when more may be sent. */
  send(samples: Int16Array): Promise<void>;
  /** Says that the speaker is still there. @returns how much silence it sent for that, ms */
  keepAlive(): Promise<number>;
  /** No more sound comes. `results` ends when all of it is recognised. */
  finish(): Promise<void>;
  /** Final results, in order. Throws when the connection is gone. */
  readonly results: AsyncIterable<Heard>;
  close(): void;
}

export interface RecogniseOptions {
  readonly connect: () => Promise<Recogniser>;
  /** Writes a result. It is awaited before the position moves on. */
  readonly onHeard: (heard: Heard) => Promise<void>;
  /** Everything before this moment is recognised and written. */
  readonly onDone: (atMs: number) => Promise<void>;
  /** Told before each new connection. */
  readonly onLost?: (error: unknown) => void;
  /** @default 5,000: a third of the 15 s after which Amazon Transcribe ends a stream without sound */
  readonly keepAliveMs?: number;
  /** Before the first new connection; doubled each time, up to 10 s. @default 250 */
  readonly retryMs?: number;
}

/** Sound without a result for this long has no words. Then it need not be sent to a next connection. */
const MOST_UNHEARD_MS = 60_000;

/**
 * Recognises one speech lane to its end. When the connection is lost, the sound without a result yet is sent again over a new one. When this
 * process is, the lane is resumed at the moment that `onDone` told last. When the consent is taken back (`lane.ended` is `revoked`), what
 * has no result yet is dropped, and no result that comes is told.
 */
export async function recognise(lane: SpeakerLane, options: RecogniseOptions): Promise<void> {
  const { retryMs = 250, onLost = () => undefined } = options;
  const work = new LaneWork(lane, options);
  for (let failures = 0; !work.isOver && lane.ended !== 'revoked'; ) {
    const before = work.doneMs;
    let recogniser: Recogniser | undefined;
    try {
      recogniser = await options.connect();
      await work.run(recogniser);
    } catch (error) {
      if (work.failure !== undefined) throw work.failure;
      onLost(error);
      failures = work.doneMs > before ? 0 : failures + 1;
      const waitMs = Math.min(retryMs * 2 ** failures, 10_000);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    } finally {
      recogniser?.close();
    }
  }
}

interface Connection {
  readonly recogniser: Recogniser;
  readonly sent: SentTime;
  isAllSent: boolean;
  isLost: boolean;
}

class LaneWork {
  isOver = false;
  doneMs = Number.NEGATIVE_INFINITY;
  /** What the lane or the writing of results threw: no new connection helps. */
  failure: unknown;
  readonly #lane: SpeakerLane;
  readonly #options: RecogniseOptions;
  /** Sound without a result yet. */
  readonly #unheard: SpeechBlock[] = [];
  readonly #revoked = Promise.withResolvers<void>();
  /** The block that is waited for. It outlives a connection. */
  #next: Promise<IteratorResult<SpeechBlock, undefined>> | undefined;

  constructor(lane: SpeakerLane, options: RecogniseOptions) {
    this.#lane = lane;
    this.#options = options;
  }

  async run(recogniser: Recogniser): Promise<void> {
    const connection = { recogniser, sent: new SentTime(), isAllSent: false, isLost: false };
    const listening = this.#listen(connection);
    const sending = this.#send(connection);
    // Whichever fails first ends the connection; the other one must not end the process.
    for (const each of [listening, sending]) each.catch(() => undefined);
    const revoked = this.#revoked.promise;
    const refuseEarlyEnd = () => {
      if (!connection.isAllSent) throw new Error('the recogniser has ended before the speaker');
    };
    try {
      await Promise.race([listening.then(refuseEarlyEnd), sending, revoked]);
      await Promise.race([listening, revoked]);
    } finally {
      connection.isLost = true;
    }
    this.isOver = true;
  }

  async #send(connection: Connection): Promise<void> {
    const { recogniser, sent } = connection;
    const { keepAliveMs = 5_000 } = this.#options;
    for (const block of [...this.#unheard]) {
      if (this.#isRevoked()) return;
      sent.add(block.atMs, block.endMs - block.atMs);
      await recogniser.send(block.samples);
    }
    for (;;) {
      this.#next ??= this.#lane.next();
      const next = await within(this.#next, keepAliveMs).catch((error) => {
        this.failure = error;
        throw error;
      });
      if (this.#isRevoked()) return;
      // The block belongs to the next connection then.
      if (connection.isLost) return;
      if (next === undefined) {
        sent.addSilence(await recogniser.keepAlive());
        continue;
      }
      this.#next = undefined;
      if (next.done) break;
      const block = next.value;
      this.#unheard.push(block);
      sent.add(block.atMs, block.endMs - block.atMs);
      await recogniser.send(block.samples);
      await this.#passSilence();
    }
    // A next connection sends what is left, and then ends as this one does.
    this.#next = Promise.resolve({ done: true, value: undefined });
    connection.isAllSent = true;
    await recogniser.finish();
  }

  async #listen(connection: Connection): Promise<void> {
    const { recogniser, sent } = connection;
    for await (const { fromMs, toMs, text } of recogniser.results) {
      if (connection.isLost || this.#isRevoked()) return;
      const heard = { fromMs: sent.unixMs(fromMs), toMs: sent.unixMs(toMs), text };
      await this.#or(this.#options.onHeard(heard));
      await this.#doneUntil(heard.toMs);
    }
  }

  /** Without consent nothing is sent, and nothing that comes is told. */
  #isRevoked(): boolean {
    if (this.#lane.ended !== 'revoked') return false;
    this.#unheard.length = 0;
    this.#revoked.resolve();
    return true;
  }

  async #doneUntil(atMs: number): Promise<void> {
    while ((this.#unheard[0]?.endMs ?? Number.POSITIVE_INFINITY) <= atMs) this.#unheard.shift();
    const first = this.#unheard[0];
    // The end of a word that is sent again would be heard as another word.
    if (first !== undefined && first.atMs < atMs)
      this.#unheard[0] = behind(first, atMs, this.#lane.rateHz);
    this.doneMs = this.#unheard[0]?.atMs ?? atMs;
    await this.#or(this.#options.onDone(this.doneMs));
  }

  /** Silence at the beginning, and sound that was not understood for long, need no result. */
  async #passSilence(): Promise<void> {
    for (;;) {
      const [first, last] = [this.#unheard[0], this.#unheard.at(-1)];
      if (first === undefined || last === undefined) return;
      if (!first.isSilence && last.endMs - first.atMs < MOST_UNHEARD_MS) return;
      await this.#doneWithFirst();
    }
  }

  async #doneWithFirst(): Promise<void> {
    const block = this.#unheard.shift();
    if (block === undefined) return;
    this.doneMs = block.endMs;
    await this.#or(this.#options.onDone(block.endMs));
  }

  async #or(ours: Promise<void>): Promise<void> {
    await ours.catch((error) => {
      this.failure = error;
      throw error;
    });
  }
}

/** Which moment of the meeting a moment of what was sent is. */
class SentTime {
  readonly #stretches: { readonly sentMs: number; readonly unixMs: number }[] = [];
  #sentMs = 0;
  #endMs = 0;

  add(unixMs: number, ms: number): void {
    // One entry for a row of blocks that follow each other.
    if (
      this.#stretches.length === 0 ||
      Math.abs(unixMs - this.#endMs) > 0.5 ||
      this.#isBehindSilence
    )
      this.#stretches.push({ sentMs: this.#sentMs, unixMs });
    this.#isBehindSilence = false;
    this.#sentMs += ms;
    this.#endMs = unixMs + ms;
  }

  #isBehindSilence = false;

  /** Silence that nobody said takes time of the recogniser alone. */
  addSilence(ms: number): void {
    this.#sentMs += ms;
    this.#isBehindSilence ||= ms > 0;
  }

  unixMs(sentMs: number): number {
    const stretch = this.#stretches.findLast((each) => each.sentMs <= sentMs);
    return stretch === undefined ? this.#endMs : stretch.unixMs + sentMs - stretch.sentMs;
  }
}

/** @returns the part of a block behind a moment */
function behind(block: SpeechBlock, atMs: number, rateHz: number): SpeechBlock {
  const skipped = Math.ceil(((atMs - block.atMs) * rateHz) / 1000);
  const samples = block.samples.subarray(skipped);
  return { ...block, samples, atMs: block.atMs + (skipped * 1000) / rateHz };
}

/** @returns undefined when it takes longer */
async function within<Value>(promise: Promise<Value>, ms: number): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
