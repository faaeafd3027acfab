import { appendFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Frame } from '../../records/frame.ts';
import { unsupported } from '../audio/pcm.ts';
import { type Captured, type Placed, SampleClock } from '../audio/sample-clock.ts';
import { type Adjusted, type Exporter, partialPath } from '../exporter.ts';

const EXTENSION = { JPG: 'jpg', PNG: 'png' } as const;

interface Image extends Captured {
  readonly extension: string;
}

/**
 * Writes the pictures of one source as numbered files, and an `index.jsonl` that says when each was captured:
 * `{"file":"000001.jpg","atMs":1240}`, with `atMs` in ms since meeting zero. Odd capture times move nothing, as in all other files.
 */
export class ImageSequenceExporter implements Exporter<Frame> {
  readonly #directory: string;
  readonly #clock: SampleClock<Image>;
  #count = 0;

  /** @param startMs meeting zero, Unix ms */
  constructor(directory: string, startMs: number) {
    this.#directory = directory;
    this.#clock = new SampleClock({ rateHz: 1000, startMs, toleranceMs: 0, cutsReplays: false });
  }

  get adjusted(): Adjusted {
    return this.#clock.adjusted;
  }

  /** @throws ServiceError `export/unsupported` for anything but JPG and PNG, and for an empty picture */
  async write(frame: Frame): Promise<void> {
    const extension = frame.codec === 'JPG' || frame.codec === 'PNG' ? EXTENSION[frame.codec] : '';
    if (!extension) throw unsupported(`cannot write ${frame.codec} as pictures`, frame);
    if (frame.payload.length === 0) throw unsupported('empty picture', frame);
    const { capturedAt, receivedAt, epoch, sequence, payload } = frame;
    const image = { capturedAt, receivedAt, epoch, sequence, payload, extension };
    await this.#put(this.#clock.place(image, 1));
  }

  async close(): Promise<void> {
    await this.#put(this.#clock.finish());
    if (this.#count === 0) return;
    await rm(this.#directory, { recursive: true, force: true });
    await rename(partialPath(this.#directory), this.#directory);
  }

  async #put(placed: readonly Placed<Image>[]): Promise<void> {
    for (const { item, at: atMs } of placed) {
      const directory = partialPath(this.#directory);
      const index = join(directory, 'index.jsonl');
      if (this.#count === 0) {
        await rm(directory, { recursive: true, force: true });
        await mkdir(directory, { recursive: true });
        await writeFile(index, '');
      }
      const file = `${String(this.#count + 1).padStart(6, '0')}.${item.extension}`;
      await writeFile(join(directory, file), item.payload);
      await appendFile(index, `${JSON.stringify({ file, atMs })}\n`);
      this.#count += 1;
    }
  }

  async abort(): Promise<void> {
    await rm(partialPath(this.#directory), { recursive: true, force: true });
  }
}
