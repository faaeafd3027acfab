/**
 * Takes items one after another, in order, and leaves a file. Shaped as the sink of a `WritableStream`, so
 * `new WritableStream(exporter)` gives a stream with back-pressure.
 *
 * Until `close` the file has a name of its own (`.partial` at the end): what stands under its name is complete.
 */
export interface Exporter<Item> {
  /** What capture times did to the file so far; absent where they do nothing. */
  readonly adjusted?: Adjusted | undefined;
  /** Resolves when the next item may be written. */
  write(item: Item): Promise<void>;
  /** Completes the file; nothing may be written afterwards. Without any item no file appears. */
  close(): Promise<void>;
  /** Gives the file up: closes what is open and removes what was written. Also what a `WritableStream` calls. */
  abort(): Promise<void>;
}

/** Where a file differs from its frames' capture times. */
export interface Adjusted {
  /** Milliseconds left out because they are there already (Zoom gives audio back), or lie before meeting zero. */
  readonly cutMs: number;
  /** Frames that do not stand where their capture time says, because it does not fit to their neighbours'. */
  readonly moved: number;
}

/** Where a file is written until it is complete. */
export function partialPath(path: string): string {
  return `${path}.partial`;
}
