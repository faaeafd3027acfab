import { CountingListener, SAID_MS } from '../counting-speaker.ts';
import { START_MS } from '../test-records.ts';

export interface HeardNumber {
  readonly text: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** The ears of a recogniser that understands the counting speaker: bytes in, numbers out, in the time of what it was sent. */
export class NumberEars {
  readonly #listener = new CountingListener();
  readonly #rateHz = 16_000;
  #samples = 0;
  #told = 0;

  /** @returns the numbers that are over */
  hear(bytes: Uint8Array): HeardNumber[] {
    const samples = new Int16Array(Uint8Array.from(bytes).buffer);
    const atMs = START_MS + (this.#samples * 1000) / this.#rateHz;
    this.#samples += samples.length;
    this.#listener.hear(samples, atMs);
    return this.#news();
  }

  end(): HeardNumber[] {
    this.#listener.end();
    return this.#news();
  }

  #news(): HeardNumber[] {
    const news = this.#listener.heard.slice(this.#told);
    this.#told += news.length;
    return news.map(({ number, atMs }) => ({
      text: String(number),
      fromMs: atMs,
      toMs: atMs + SAID_MS,
    }));
  }
}
