/** A page that is told of may have been asked for earlier, and the one before it may hold frames that still wait. */
const PAGES_TO_BE_SURE = 3;

interface Wait {
  readonly then: () => void;
  readonly pages: Map<string, number>;
}

/**
 * Tells when the reader of one stream has read whatever was there at some moment: the other stream's reader may be
 * ahead of it.
 */
export class CatchUp {
  readonly #shards = new Set<string>();
  #waits: Wait[] = [];

  /** Of every page that was read, as `StreamReader.onProgress` tells it. */
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
      // A page from behind the tip begins the count again.
      pages.set(shardId, millisBehindLatest === 0 ? count + 1 : 0);
    }
    const isOver = ({ pages }: Wait) =>
      [...this.#shards].every((shard) => (pages.get(shard) ?? 0) >= PAGES_TO_BE_SURE);
    const over = this.#waits.filter(isOver);
    this.#waits = this.#waits.filter((wait) => !isOver(wait));
    for (const wait of over) wait.then();
  }

  /** @param then called once, when all that is in the stream by now was handed on */
  whenCaughtUp(then: () => void): void {
    this.#waits.push({ then, pages: new Map() });
  }

  /** Nothing is read any more: whoever still waits need not. */
  flush(): void {
    for (const { then } of this.#waits.splice(0)) then();
  }
}
