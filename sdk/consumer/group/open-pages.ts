import { type Marks, remember } from '../reading/marks.ts';
import type { FenceMark } from '../records/epoch-fence.ts';
import type { RecordPosition } from './group-rows.ts';

/** A page between its handler and the checkpoint. */
export interface OpenPage {
  /** Everything up to here is processed once this page and all before it are. */
  readonly position: RecordPosition | undefined;
  readonly marks: Marks;
  isHeld: boolean;
  isDone: boolean;
}

/**
 * The pages of a shard that were read and are not in the checkpoint yet, in their order. A page that is held stops those
 * behind it: what a checkpoint has passed is never read again.
 */
export class OpenPages {
  readonly #pages: OpenPage[] = [];
  readonly #onDone: (page: OpenPage) => void;
  #onEmpty = () => {};

  /** @param onDone called with one page after another, once it and all before it are done */
  constructor(onDone: (page: OpenPage) => void) {
    this.#onDone = onDone;
  }

  get isEmpty(): boolean {
    return this.#pages.length === 0;
  }

  open(position: RecordPosition | undefined): OpenPage {
    const page: OpenPage = { position, marks: new Map(), isHeld: false, isDone: false };
    this.#pages.push(page);
    return page;
  }

  isFirst(page: OpenPage): boolean {
    return this.#pages[0] === page;
  }

  note(page: OpenPage, marks: Iterable<FenceMark>): void {
    for (const mark of marks) remember(page.marks, mark);
  }

  done(page: OpenPage): void {
    page.isDone = true;
    for (let first = this.#pages[0]; first?.isDone; first = this.#pages[0]) {
      this.#pages.shift();
      this.#onDone(first);
    }
    if (this.isEmpty) this.#onEmpty();
  }

  /** Resolves when all pages are done, at the latest when the signal comes. @param ask called when some are not */
  async allDone(over: AbortSignal, ask: () => Promise<void> | void): Promise<void> {
    if (this.isEmpty) return;
    const empty = Promise.withResolvers<void>();
    this.#onEmpty = empty.resolve;
    over.addEventListener('abort', () => empty.resolve(), { once: true });
    await ask();
    if (!this.isEmpty && !over.aborted) await empty.promise;
  }
}
