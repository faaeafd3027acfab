import { appendFile, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Frame } from '../../records/frame.ts';
import { unsupported } from '../audio/pcm.ts';
import { type Exporter, partialPath } from '../exporter.ts';

const EXTENSION = { JPG: 'jpg', PNG: 'png' } as const;

/**
 * Writes the pictures of one source as numbered files, and an `index.jsonl` that says when each was captured:
 * `{"file":"000001.jpg","atMs":1240}`, with `atMs` in ms since meeting zero.
 */
export class ImageSequenceExporter implements Exporter<Frame> {
  readonly #directory: string;
  readonly #startMs: number;
  #count = 0;

  /** @param startMs meeting zero, Unix ms */
  constructor(directory: string, startMs: number) {
    this.#directory = directory;
    this.#startMs = startMs;
  }

  /** @throws ServiceError `export/unsupported` for anything but JPG and PNG, and for an empty picture */
  async write(frame: Frame): Promise<void> {
    const extension = frame.codec === 'JPG' || frame.codec === 'PNG' ? EXTENSION[frame.codec] : '';
    if (!extension) throw unsupported(`cannot write ${frame.codec} as pictures`, frame);
    if (frame.payload.length === 0) throw unsupported('empty picture', frame);
    const directory = partialPath(this.#directory);
    const index = join(directory, 'index.jsonl');
    if (this.#count === 0) {
      await rm(directory, { recursive: true, force: true });
      await mkdir(directory, { recursive: true });
      await writeFile(index, '');
    }
    const file = `${String(this.#count + 1).padStart(6, '0')}.${extension}`;
    const atMs = frame.capturedAt.getTime() - this.#startMs;
    await writeFile(join(directory, file), frame.payload);
    await appendFile(index, `${JSON.stringify({ file, atMs })}\n`);
    this.#count += 1;
  }

  async close(): Promise<void> {
    if (this.#count === 0) return;
    await rm(this.#directory, { recursive: true, force: true });
    await rename(partialPath(this.#directory), this.#directory);
  }

  async abort(): Promise<void> {
    await rm(partialPath(this.#directory), { recursive: true, force: true });
  }
}
