import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { partialPath } from './exporter.ts';

const BUFFER_BYTES = 64 * 1024;

/** A file that is written front to back, with small writes gathered. It gets its name when it is closed. */
export class FileSink {
  readonly #path: string;
  readonly #file: FileHandle;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #flushedBytes = 0;

  private constructor(path: string, file: FileHandle) {
    this.#path = path;
    this.#file = file;
  }

  /** Creates the file, or empties it, under its temporary name. */
  static async create(path: string): Promise<FileSink> {
    return new FileSink(path, await open(partialPath(path), 'w+'));
  }

  /** Position of the next byte that is appended. */
  get size(): number {
    return this.#flushedBytes + this.#pendingBytes;
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes >= BUFFER_BYTES) await this.flush();
  }

  /** Leaves a gap of zeros, which takes no space on most file systems. Something must be appended behind it. */
  async skip(bytes: number): Promise<void> {
    await this.flush();
    this.#flushedBytes += bytes;
  }

  /** Overwrites bytes. Does not move the position of `append`. */
  async writeAt(bytes: Uint8Array, position: number): Promise<void> {
    await this.#file.write(bytes, 0, bytes.length, position);
  }

  /** Fills `into` from `position`, with zeros beyond the end of the file. */
  async readAt(into: Buffer, position: number): Promise<void> {
    const { bytesRead } = await this.#file.read(into, 0, into.length, position);
    into.fill(0, bytesRead);
  }

  async flush(): Promise<void> {
    if (this.#pendingBytes === 0) return;
    const bytes = Buffer.concat(this.#pending, this.#pendingBytes);
    const position = this.#flushedBytes;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#flushedBytes += bytes.length;
    await this.writeAt(bytes, position);
  }

  /** Completes the file and gives it its name. The handle is closed also when a write fails. */
  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#file.close();
    }
    await rename(partialPath(this.#path), this.#path);
  }

  /** Closes and removes the file. */
  async abort(): Promise<void> {
    await this.#file.close();
    await rm(partialPath(this.#path), { force: true });
  }
}
