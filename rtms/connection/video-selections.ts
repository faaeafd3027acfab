/** Bounds memory in case Zoom answers no selection. */
const MAX_UNANSWERED = 64;

/** Whose video is selected (message 28), and which of the selections Zoom has not answered yet. */
export class VideoSelections {
  readonly #selected = new Set<number>();
  /** Participants whom messages without an answer were about, oldest first. */
  readonly #unanswered: number[] = [];

  /** In the order of selecting. */
  get selected(): readonly number[] {
    return [...this.#selected];
  }

  /** @param several V2: whether there may be several; with V1 a new selection replaces the one before */
  select(userId: number, on: boolean, several: boolean): void {
    if (on && !several) this.#selected.clear();
    if (on) this.#selected.add(userId);
    else this.#selected.delete(userId);
  }

  /** Zoom refused this selection for good: it is not sent again. */
  drop(userId: number): void {
    this.#selected.delete(userId);
  }

  /** A message about this participant goes out. */
  sent(userId: number): void {
    if (this.#unanswered.length < MAX_UNANSWERED) this.#unanswered.push(userId);
  }

  /** Zoom answers on the connection that brought the message, or not at all: a new connection has nothing to answer. */
  connected(): void {
    this.#unanswered.length = 0;
  }

  /**
   * The participant whom an answer is about. An answer that names nobody belongs to the oldest message without an answer,
   * because Zoom answers in order.
   *
   * @returns undefined when no message waits for an answer
   */
  answered(named: number | undefined): number | undefined {
    const at = named === undefined ? 0 : this.#unanswered.indexOf(named);
    const [asked] = at < 0 ? [] : this.#unanswered.splice(at, 1);
    return named ?? asked;
  }
}
