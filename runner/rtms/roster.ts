/** A webinar may see thousands come and go; the oldest names leave first. */
const MAX_NAMES = 10_000;

/** Names by participant id: leave, video and mixed-audio messages carry none. */
export class Roster {
  readonly #names = new Map<number, string>();

  /** Remembers a name. A participant who left keeps it, for lines that arrive late. */
  learn(userId: number, userName: string | undefined): void {
    if (userName === undefined || userName === '') return;
    if (this.#names.size >= MAX_NAMES && !this.#names.has(userId)) {
      for (const oldest of this.#names.keys()) {
        this.#names.delete(oldest);
        break;
      }
    }
    this.#names.set(userId, userName);
  }

  /** The name Zoom last gave for this id, or the empty string. */
  nameOf(userId: number): string {
    return this.#names.get(userId) ?? '';
  }
}
