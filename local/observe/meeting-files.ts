import { rm, rmdir } from 'node:fs/promises';
import { relative } from 'node:path';
import { type Frame, MeetingExport, type ReceivedEvent } from '../../sdk/consumer/index.ts';
import { ServiceError } from '../../shared/errors.ts';

/** How many frames and events are held until time zero is known: far more than come before `session_started`. */
const MAX_WAITING = 20_000;

export interface WrittenFiles {
  readonly paths: readonly string[];
  /** How the files differ from what Zoom sent, and why writing ended early, one sentence each. */
  readonly notes: readonly string[];
}

type Item = { frame: Frame } | { event: ReceivedEvent };

/**
 * Writes the files of one meeting, the same as `rtms export` does. All files begin at time zero, the moment at which Zoom
 * asked for the stream. Only the events stream has that time, so frames that are read before it are held.
 *
 * No method throws: an error ends the files of this meeting and is reported by `close`, and other meetings go on.
 */
export class MeetingFiles {
  readonly #directory: string;
  readonly #rtmsStreamId: string;
  #waiting: Item[] = [];
  #export: MeetingExport | undefined;
  /** Why nothing more is written; undefined while all is well. */
  #failure: string | undefined;
  /** Runs one write after another, because frames and events come from two streams at once. */
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

  /** Completes the files. A second call has the same result. */
  close(): Promise<WrittenFiles> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** Removes complete files: Zoom took the consent back after the meeting, and nothing of it may stay. */
  revoke(): void {
    this.#closed = this.close().then(async ({ paths }) => {
      const removals = await Promise.allSettled(
        paths.map((path) => rm(path, { recursive: true, force: true })),
      );
      const left = paths.filter((_, index) => removals[index]?.status === 'rejected');
      // Its name would still tell of the meeting. A folder that holds other files stays.
      await rmdir(this.#directory).catch(() => undefined);
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
    const why = this.#failure === undefined ? [] : [`${this.#rtmsStreamId}: ${this.#failure}`];
    return { paths, notes: [...notes, ...why] };
  }

  #safely(work: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(async () => {
      if (this.#failure !== undefined) return;
      try {
        await work();
      } catch (error) {
        this.#failure = error instanceof ServiceError ? error.message : nameOf(error);
        this.#waiting = [];
        await this.#export?.abort();
      }
    });
    return this.#queue;
  }

  async #begin(requestedAtMs: number): Promise<void> {
    const captured = this.#waiting.flatMap((item) => capturedAtMs(item) ?? []);
    // Zoom's buffer may bring frames that are older than its request.
    const startMs = captured.reduce((least, ms) => Math.min(least, ms), requestedAtMs);
    const options = { startMs, rtmsStreamId: this.#rtmsStreamId, layout: 'share' } as const;
    this.#export = await MeetingExport.create(this.#directory, options);
    for (const item of this.#waiting.splice(0)) {
      if ('frame' in item) await this.#export.frame(item.frame);
      else await this.#export.event(item.event);
    }
  }
}

/** A path as a user would type it in the folder where the process was started. */
export function fromHere(path: string): string {
  return relative(process.cwd(), path) || path;
}

function nameOf(error: unknown): string {
  const name = error instanceof Error ? error.name : typeof error;
  return `its files ended with ${(error as NodeJS.ErrnoException)?.code ?? name}`;
}

function capturedAtMs(item: Item): number | undefined {
  return 'frame' in item ? item.frame.capturedAt.getTime() : undefined;
}
