import { type FileHandle, open } from 'node:fs/promises';
import { ServiceError } from '../../../../shared/errors.ts';

/** Longer than every header that the exporters of this package write, also that of RF64. */
const HEADER_BYTES = 128;

/** Reads parts of a 16-bit WAV file, all channels together. */
export class WavReader {
  readonly rateHz: number;
  /** Samples of the whole file; all channels of one instant count as one. */
  readonly samples: number;
  readonly channels: number;
  readonly #file: FileHandle;
  readonly #dataAt: number;

  private constructor(file: FileHandle, header: Buffer, sizeBytes: number) {
    this.#file = file;
    const format = header.indexOf('fmt ');
    const data = header.indexOf('data', format);
    if (format === -1 || data === -1) throw new ServiceError('export/unsupported', 'no WAV file');
    this.channels = header.readUInt16LE(format + 10);
    this.rateHz = header.readUInt32LE(format + 12);
    this.#dataAt = data + 8;
    this.samples = Math.floor((sizeBytes - this.#dataAt) / (2 * this.channels));
  }

  static async open(path: string): Promise<WavReader> {
    const file = await open(path);
    try {
      const header = Buffer.alloc(HEADER_BYTES);
      await file.read(header, 0, HEADER_BYTES, 0);
      return new WavReader(file, header, (await file.stat()).size);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Adds samples from a position on, as numbers from -1 to 1. Before the file and behind it there is silence. */
  async addTo(into: Float32Array, from: number): Promise<void> {
    const first = Math.max(from, 0);
    const count = Math.min(from + into.length, this.samples) - first;
    if (count <= 0) return;
    const bytes = await this.read(first, count);
    const values = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
    const scale = 1 / (32_768 * this.channels);
    for (let i = 0; i < count; i++) {
      let sum = 0;
      for (let channel = 0; channel < this.channels; channel++)
        sum += values[i * this.channels + channel] as number;
      const at = first - from + i;
      into[at] = (into[at] as number) + sum * scale;
    }
  }

  /**
   * Samples as they stand in the file, 16 bits each, all channels of one instant together.
   *
   * @throws ServiceError `export/unsupported` when the file has become shorter than it was, and what reading it throws
   */
  async read(from: number, count: number): Promise<Buffer> {
    const frameBytes = 2 * this.channels;
    const bytes = Buffer.alloc(count * frameBytes);
    const at = this.#dataAt + from * frameBytes;
    const { bytesRead } = await this.#file.read(bytes, 0, bytes.length, at);
    if (bytesRead < bytes.length)
      throw new ServiceError('export/unsupported', 'the file ends before its samples do');
    return bytes;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}
