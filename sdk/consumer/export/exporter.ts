/**
 * Takes items one after another, in order, and leaves a file. Shaped as the sink of a `WritableStream`, so
 * `new WritableStream(exporter)` gives a stream with back-pressure.
 */
export interface Exporter<Item> {
  /** Resolves when the next item may be written. */
  write(item: Item): Promise<void>;
  /** Completes the file; nothing may be written afterwards. Without any item no file appears. */
  close(): Promise<void>;
}
