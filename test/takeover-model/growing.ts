/** Numbers up to 2^32 - 1 behind each other, in one buffer: a million small arrays would take ten times the memory. */
export class GrowingNumbers {
  #numbers = new Uint32Array(1024);
  length = 0;

  push(number: number): void {
    if (this.length === this.#numbers.length) {
      const larger = new Uint32Array(2 * this.length);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[this.length] = number;
    this.length += 1;
  }

  at(index: number): number {
    return this.#numbers[index] as number;
  }

  slice(from: number, to: number): number[] {
    return [...this.#numbers.subarray(from, to)];
  }
}

/** Byte strings of one length, likewise. */
export class GrowingBytes {
  readonly #size: number;
  #bytes: Uint8Array;
  length = 0;

  constructor(size: number) {
    this.#size = size;
    this.#bytes = new Uint8Array(1024 * size);
  }

  /** @returns its number */
  push(one: Uint8Array): number {
    const at = this.length * this.#size;
    if (at === this.#bytes.length) {
      const larger = new Uint8Array(2 * at);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(one, at);
    this.length += 1;
    return this.length - 1;
  }

  /** A view: it stays as it is, because nothing that was pushed is changed. */
  at(index: number): Uint8Array {
    return this.#bytes.subarray(index * this.#size, (index + 1) * this.#size);
  }
}
