import { rm } from 'node:fs/promises';
import { type Frame, MeetingExport, type ReceivedEvent } from '../../sdk/consumer/index.ts';
import { ServiceError } from '../../shared/errors.ts';
import { fromHere } from './from-here.ts';

/** Frames and events held until the meeting's zero is known; far more than start-up ever brings. */
const MAX_WAITING = 20_000;

export interface WrittenFiles {
  readonly paths: readonly string[];
  /** How the files differ from what Zoom sent, and what ended them altogether: one sentence each. */
  readonly notes: readonly string[];
}

type Item = { frame: Frame } | { event: ReceivedEvent };

/**
 * One meeting's files, the same as `rtms export` writes. Audio and video line up on the meeting's zero, the moment Zoom
 * asked for the stream, which only the events stream tells: what comes from the media stream before it waits.
 *
 * Nothing is thrown: whatever happens to the files of one meeting is told at its end, and the others go on.
 */
export class MeetingFiles {
  readonly #directory: string;
  readonly #rtmsStreamId: string;
  #waiting: Item[] = [];
  #export: MeetingExport | undefined;
  /** Why nothing more is written. */
  #givenUp: string | undefined;
  /** Frames and events come from two streams at once. */
  #queue: Promise<void> = Promise.resolve();
  #closed: Promise<WrittenFiles> | undefined;

  constructor(directory: string, rtmsStreamId: string) {
    this.#directory = directory;
    this.#rtmsStreamId = rtmsStreamId;
  }

  frame(frame: Frame): Promise<void> {
    return this.#safely(async () => {
      if (this.#export) return this.#export.frame(frame);
      this.#waiting.push({ frame });
      if (this.#waiting.length > MAX_WAITING) await this.#begin(frame.capturedAt.getTime());
    });
  }

  event(event: ReceivedEvent): Promise<void> {
    return this.#safely(async () => {
      if (!this.#export && event.name === 'session_started') {
        await this.#begin(event.data.requestedAtMs);
      }
      if (this.#export) return this.#export.event(event);
      this.#waiting.push({ event });
    });
  }

  /** Completes the files; asked again it says the same. */
  close(): Promise<WrittenFiles> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** Zoom took the consent back when the files were complete already: they must not stay. */
  revoke(): void {
    this.#closed = this.close().then(async ({ paths }) => {
      const removals = await Promise.allSettled(
        paths.map((path) => rm(path, { recursive: true, force: true })),
      );
      const left = paths.filter((_, index) => removals[index]?.status === 'rejected');
      const id = this.#rtmsStreamId;
      const removed = `${id}: Zoom took the consent back, its files are removed`;
      const kept = left.map(
        (path) => `${id}: DELETE ${fromHere(path)}, which could not be removed`,
      );
      return { paths: left, notes: [removed, ...kept] };
    });
  }

  async #close(): Promise<WrittenFiles> {
    let paths: string[] = [];
    await this.#safely(async () => {
      const firstMs = this.#waiting.map(capturedAtMs).find((ms) => ms !== undefined);
      if (!this.#export && firstMs !== undefined) await this.#begin(firstMs);
      paths = (await this.#export?.close()) ?? [];
    });
    const notes = this.#export?.notes(fromHere) ?? [];
    const why = this.#givenUp === undefined ? [] : [`${this.#rtmsStreamId}: ${this.#givenUp}`];
    return { paths, notes: [...notes, ...why] };
  }

  #safely(work: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(async () => {
      if (this.#givenUp !== undefined) return;
      try {
        await work();
      } catch (error) {
        this.#givenUp = error instanceof ServiceError ? error.message : nameOf(error);
        this.#waiting = [];
        await this.#export?.abort();
      }
    });
    return this.#queue;
  }

  async #begin(requestedAtMs: number): Promise<void> {
    const captured = this.#waiting.flatMap((item) => capturedAtMs(item) ?? []);
    // Zoom's buffer may hold frames from before its webhook reached us.
    const startMs = captured.reduce((least, ms) => Math.min(least, ms), requestedAtMs);
    const options = { startMs, rtmsStreamId: this.#rtmsStreamId };
    this.#export = await MeetingExport.create(this.#directory, options);
    for (const item of this.#waiting.splice(0)) {
      if ('frame' in item) await this.#export.frame(item.frame);
      else await this.#export.event(item.event);
    }
  }
}

function nameOf(error: unknown): string {
  const name = error instanceof Error ? error.name : typeof error;
  return `its files ended with ${(error as NodeJS.ErrnoException)?.code ?? name}`;
}

function capturedAtMs(item: Item): number | undefined {
  return 'frame' in item ? item.frame.capturedAt.getTime() : undefined;
}
