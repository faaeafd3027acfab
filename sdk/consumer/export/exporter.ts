/**
 * Takes items one after another, in order, and leaves a file. Shaped as the sink of a `WritableStream`, so
 * `new WritableStream(exporter)` gives a stream with back-pressure.
 *
 * Until `close` the file has a name of its own (`.partial` at the end): what stands under its name is complete.
 */
export interface Exporter<Item> {
  /** Resolves when the next item may be written. */
  write(item: Item): Promise<void>;
  /** Completes the file; nothing may be written afterwards. Without any item no file appears. */
  close(): Promise<void>;
  /** Gives the file up: closes what is open and removes what was written. Also what a `WritableStream` calls. */
  abort(): Promise<void>;
}

/** Where a file is written until it is complete. */
export function partialPath(path: string): string {
  return `${path}.partial`;
}
