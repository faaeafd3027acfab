import type { ReceivedEvent, RtmsEventOf } from '../../records/event-record.ts';
import type { Exporter } from '../exporter.ts';
import { FileSink } from '../file-sink.ts';

/**
 * Writes chat as JSON lines: `time` (RFC 3339), `atMs` (ms since meeting zero), and the event's data as it is. Edits and
 * deletions are lines of their own (`operation`, `messageId`), which the reader has to apply.
 */
export class ChatExporter implements Exporter<RtmsEventOf<'chat'>> {
  readonly #path: string;
  readonly #startMs: number;
  #sink: FileSink | undefined;

  /** @param startMs meeting zero, Unix ms */
  constructor(path: string, startMs: number) {
    this.#path = path;
    this.#startMs = startMs;
  }

  async write({ time, data }: RtmsEventOf<'chat'>): Promise<void> {
    this.#sink ??= await FileSink.create(this.#path);
    const line = { time: time.toISOString(), atMs: data.timestampMs - this.#startMs, ...data };
    await this.#sink.append(Buffer.from(`${JSON.stringify(line)}\n`));
  }

  async close(): Promise<void> {
    await this.#sink?.close();
  }

  async abort(): Promise<void> {
    await this.#sink?.abort();
  }
}

/** Writes all events as JSON lines, in the order in which they come: `time`, `atMs` since meeting zero, `name`, `data`. */
export class EventLinesExporter implements Exporter<ReceivedEvent> {
  readonly #path: string;
  readonly #startMs: number;
  #sink: FileSink | undefined;

  /** @param startMs meeting zero, Unix ms */
  constructor(path: string, startMs: number) {
    this.#path = path;
    this.#startMs = startMs;
  }

  async write({ id, time, name, data }: ReceivedEvent): Promise<void> {
    this.#sink ??= await FileSink.create(this.#path);
    const line = { id, time: time.toISOString(), atMs: time.getTime() - this.#startMs, name, data };
    await this.#sink.append(Buffer.from(`${JSON.stringify(line)}\n`));
  }

  async close(): Promise<void> {
    await this.#sink?.close();
  }

  async abort(): Promise<void> {
    await this.#sink?.abort();
  }
}
