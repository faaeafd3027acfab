/** A webinar may see thousands come and go; the oldest names leave first. */
const MAX_NAMES = 10_000;
const MAX_NAME_BYTES = 1024 * 1024;

/** Names by participant id: leave, video and mixed-audio messages carry none. */
export class Roster {
  readonly #names = new Map<number, string>();
  #nameBytes = 0;

  /** Remembers a name. A participant who left keeps it, for lines that arrive late. */
  learn(userId: number, userName: string | undefined): void {
    if (userName === undefined || userName === '') return;
    const known = this.#names.get(userId);
    if (known === userName) return;
    if (known !== undefined) this.#forget(userId, known);
    this.#names.set(userId, userName);
    this.#nameBytes += Buffer.byteLength(userName);
    for (const [oldest, name] of this.#names) {
      if (this.#names.size <= MAX_NAMES && this.#nameBytes <= MAX_NAME_BYTES) break;
      this.#forget(oldest, name);
    }
  }

  #forget(userId: number, userName: string): void {
    this.#names.delete(userId);
    this.#nameBytes -= Buffer.byteLength(userName);
  }

  /** The name Zoom last gave for this id, or the empty string. */
  nameOf(userId: number): string {
    return this.#names.get(userId) ?? '';
  }
}
