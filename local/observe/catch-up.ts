/**
 * How many pages at the tip of a shard prove that its reader has caught up: the first may have been requested before
 * the moment in question, and frames of the page before may not have been handed on yet.
 */
const PAGES_TO_BE_SURE = 3;

interface Wait {
  readonly then: () => void;
  readonly pages: Map<string, number>;
}

/**
 * Tells when the reader of one stream has handed on everything that was in the stream at some moment. The events of a
 * meeting can be read before its last frames, because each stream has its own reader.
 */
export class CatchUp {
  readonly #shards = new Set<string>();
  #waits: Wait[] = [];

  /** Call for every page that was read, from `StreamReader.onProgress`. */
  progress({
    shardId,
    millisBehindLatest,
  }: {
    readonly shardId: string;
    readonly millisBehindLatest: number | undefined;
  }): void {
    this.#shards.add(shardId);
    for (const { pages } of this.#waits) {
      const count = pages.get(shardId) ?? 0;
      // After a page from behind the tip the count begins again.
      pages.set(shardId, millisBehindLatest === 0 ? count + 1 : 0);
    }
    const isOver = ({ pages }: Wait) =>
      [...this.#shards].every((shard) => (pages.get(shard) ?? 0) >= PAGES_TO_BE_SURE);
    const over = this.#waits.filter(isOver);
    this.#waits = this.#waits.filter((wait) => !isOver(wait));
    for (const wait of over) wait.then();
  }

  /** @param then called once, when everything that is in the stream now was handed on */
  whenCaughtUp(then: () => void): void {
    this.#waits.push({ then, pages: new Map() });
  }

  /** Reading has ended: calls everything that still waits. */
  flush(): void {
    for (const { then } of this.#waits.splice(0)) then();
  }
}
