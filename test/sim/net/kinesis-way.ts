/** A connection, as far as the way to Kinesis is concerned. */
interface Breakable {
  destroy(error: Error): unknown;
}

/** The way from one process to Kinesis: its connections, and those whose TLS handshake waits for packets that get lost. */
export class KinesisWay {
  readonly #open = new Set<Breakable>();
  #waiting: (() => void)[] | undefined;

  opened(connection: Breakable): void {
    this.#open.add(connection);
  }

  closed(connection: Breakable): void {
    this.#open.delete(connection);
  }

  /** @param end what ends a handshake, a round trip later */
  handshake(end: () => void): void {
    if (this.#waiting === undefined) end();
    else this.#waiting.push(end);
  }

  /** All connections break, and the handshakes of new ones wait. */
  lose(): void {
    this.#waiting ??= [];
    for (const connection of this.#open) {
      connection.destroy(Object.assign(new Error('connection ECONNRESET'), { code: 'ECONNRESET' }));
    }
  }

  endHandshakes(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const end of waiting) end();
  }
}
