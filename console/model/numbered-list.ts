/**
 * The newest items of a list, each numbered. Whoever reads along remembers the number of the item that comes next for
 * it, so that no reader needs a queue of its own: one that is slow reads more at once, and one that comes after items
 * were dropped can tell how many it has missed.
 */
export class NumberedList<Item> {
  readonly #most: number;
  readonly #items: Item[] = [];
  /** The number of the item that is added next, from 1. */
  #next = 1;

  constructor(most: number) {
    this.#most = most;
  }

  get next(): number {
    return this.#next;
  }

  /** How many were dropped because newer ones came. */
  get dropped(): number {
    return this.#next - 1 - this.#items.length;
  }

  add(make: (number: number) => Item): void {
    this.#items.push(make(this.#next));
    this.#next += 1;
    // Cut in one go, as shift() of a long array moves all of it.
    if (this.#items.length > this.#most * 1.25)
      this.#items.splice(0, this.#items.length - this.#most);
  }

  /** At most `most` items from a number on, the oldest first. Those that were dropped are left out. */
  from(number: number, most: number): readonly Item[] {
    const first = this.#next - this.#items.length;
    const start = Math.max(0, number - first);
    return this.#items.slice(start, start + most);
  }

  clear(): void {
    this.#items.length = 0;
  }
}
