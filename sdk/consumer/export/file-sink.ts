import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { partialPath } from './exporter.ts';

const BUFFER_BYTES = 64 * 1024;

/** A file written front to back, small writes gathered; it gets its name when it is closed. */
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

  /** Begins the file anew, under its temporary name. */
  static async create(path: string): Promise<FileSink> {
    return new FileSink(path, await open(partialPath(path), 'w+'));
  }

  /** Where the next byte goes. */
  get size(): number {
    return this.#flushedBytes + this.#pendingBytes;
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes >= BUFFER_BYTES) await this.flush();
  }

  /** Leaves `bytes` zeros, which cost no space on most file systems. What follows must not be left out. */
  async skip(bytes: number): Promise<void> {
    await this.flush();
    this.#flushedBytes += bytes;
  }

  /** Overwrites; does not move the end. */
  async writeAt(bytes: Uint8Array, position: number): Promise<void> {
    await this.#file.write(bytes, 0, bytes.length, position);
  }

  /** Fills `into` from `position`; zeros beyond the end of the file. */
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

  /** Completes the file. Whatever fails, the handle is closed. */
  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#file.close();
    }
    await rename(partialPath(this.#path), this.#path);
  }

  async abort(): Promise<void> {
    await this.#file.close();
    await rm(partialPath(this.#path), { force: true });
  }
}
