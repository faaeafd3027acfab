import { type Frame, MeetingExport, type ReceivedEvent } from '../../sdk/consumer/index.ts';

/** Frames and events held until the meeting's zero is known; far more than start-up ever brings. */
const MAX_WAITING = 20_000;

export interface WrittenFiles {
  readonly paths: readonly string[];
  /** Pictures before the first key frame, by the path of the MP4 that lacks them. */
  readonly skippedPictures: ReadonlyMap<string, number>;
}

type Item = { frame: Frame } | { event: ReceivedEvent };

/**
 * One meeting's files. Audio and video line up on the meeting's zero, the moment Zoom asked for the stream,
 * which only the events stream tells: what comes from the media stream before it waits.
 */
export class MeetingFiles {
  readonly #directory: string;
  #waiting: Item[] = [];
  #export: MeetingExport | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async frame(frame: Frame): Promise<void> {
    if (this.#export) return this.#export.frame(frame);
    this.#waiting.push({ frame });
    if (this.#waiting.length > MAX_WAITING) await this.#begin(frame.capturedAt.getTime());
  }

  async event(event: ReceivedEvent): Promise<void> {
    if (!this.#export && event.name === 'session_started') {
      await this.#begin(event.data.requestedAtMs);
    }
    if (this.#export) return this.#export.event(event);
    this.#waiting.push({ event });
  }

  async close(): Promise<WrittenFiles> {
    const firstMs = this.#waiting.map(capturedAtMs).find((ms) => ms !== undefined);
    if (!this.#export && firstMs !== undefined) await this.#begin(firstMs);
    const paths = (await this.#export?.close()) ?? [];
    return { paths, skippedPictures: this.#export?.skippedPictures ?? new Map() };
  }

  async #begin(requestedAtMs: number): Promise<void> {
    const captured = this.#waiting.flatMap((item) => capturedAtMs(item) ?? []);
    // Zoom's buffer may hold frames from before its webhook reached us.
    const startMs = captured.reduce((least, ms) => Math.min(least, ms), requestedAtMs);
    // Exactly the samples Zoom sent, one after another; meeting.wav has them on the time base.
    const options = { startMs, fillGaps: false };
    this.#export = await MeetingExport.create(this.#directory, options);
    for (const item of this.#waiting.splice(0)) {
      if ('frame' in item) await this.#export.frame(item.frame);
      else await this.#export.event(item.event);
    }
  }
}

function capturedAtMs(item: Item): number | undefined {
  return 'frame' in item ? item.frame.capturedAt.getTime() : undefined;
}
