/**
 * Takes items one after another, in order, and writes a file. It has the shape of a `WritableStream`'s sink, so
 * `new WritableStream(exporter)` gives a stream with back-pressure.
 *
 * Until `close` the file has `.partial` at the end of its name. A file without it is complete.
 */
export interface Exporter<Item> {
  /** How the file differs from its frames' capture times so far; absent where those decide nothing. */
  readonly adjusted?: Adjusted | undefined;
  /** Writes one item. Resolves when the next one may come. */
  write(item: Item): Promise<void>;
  /** Completes the file, after which nothing may be written. Without any item there is no file. */
  close(): Promise<void>;
  /** Closes what is open and removes what was written. A `WritableStream` calls this when it is aborted. */
  abort(): Promise<void>;
}

/** Where a file differs from its frames' capture times. */
export interface Adjusted {
  /** Milliseconds left out because they are written already (Zoom sends audio again), or lie before meeting zero. */
  readonly cutMs: number;
  /** Frames that do not stand where their capture time says, because it contradicts their neighbours or the runner's clock. */
  readonly moved: number;
}

/** @returns the path of a file until it is complete */
export function partialPath(path: string): string {
  return `${path}.partial`;
}
