/** Payload bytes held back at most, whatever the window. */
const MAX_HELD_BYTES = 32 * 1024 * 1024;

export interface Timed {
  readonly capturedAt: Date;
  readonly payload: Uint8Array;
}

interface Held<Item> {
  readonly item: Item;
  readonly capturedAtMs: number;
  readonly sizeBytes: number;
  readonly heldSinceMs: number;
}

/**
 * Brings items of several speakers and shards into order of capture, as far as a window of `windowMs` allows: an item
 * leaves when one captured `windowMs` later has come, or after `windowMs` of waiting. With a window of 0 all items leave
 * in the order they came. Items of equal capture time keep their order.
 */
export class ReorderWindow<Item> {
  readonly #held: Held<Item>[] = [];
  readonly #windowMs: number;
  #heldBytes = 0;
  #newestMs = Number.NEGATIVE_INFINITY;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /** Takes an item in. @param nowMs of a monotonic clock */
  push(item: Item, { capturedAt, payload }: Timed, nowMs: number): void {
    const capturedAtMs = capturedAt.getTime();
    const held = { item, capturedAtMs, sizeBytes: payload.length, heldSinceMs: nowMs };
    this.#heldBytes += held.sizeBytes;
    this.#newestMs = Math.max(this.#newestMs, capturedAtMs);
    const place = this.#windowMs > 0 ? this.#place(capturedAtMs) : this.#held.length;
    if (place === this.#held.length) this.#held.push(held);
    else this.#held.splice(place, 0, held);
  }

  /** @returns the next item that may leave now */
  take(nowMs: number): Item | undefined {
    const first = this.#held[0];
    if (!first) return undefined;
    const mayLeave =
      first.capturedAtMs <= this.#newestMs - this.#windowMs ||
      nowMs - first.heldSinceMs >= this.#windowMs ||
      this.#heldBytes > MAX_HELD_BYTES;
    return mayLeave ? this.#shift(first) : undefined;
  }

  /** @returns the next item, however long it was held */
  drain(): Item | undefined {
    const first = this.#held[0];
    return first && this.#shift(first);
  }

  #shift(first: Held<Item>): Item {
    this.#held.shift();
    this.#heldBytes -= first.sizeBytes;
    return first.item;
  }

  /** Finds the place behind all items captured no later. Searches from the end, where nearly every new item belongs. */
  #place(capturedAtMs: number): number {
    let at = this.#held.length;
    while (at > 0 && (this.#held[at - 1] as Held<Item>).capturedAtMs > capturedAtMs) at -= 1;
    return at;
  }
}
