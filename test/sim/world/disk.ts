/** What the next operations of a disk do instead of succeeding. */
export interface DiskFaults {
  /** Bytes that fit; beyond it, writes fail with ENOSPC after what still fits was written. */
  limitBytes: number;
  /** Every operation fails with EIO. */
  isBroken: boolean;
  /** How much longer each operation takes, ms. */
  slowMs: number;
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

/** The files of one machine, by path. They outlive the process unless the machine goes with it. */
export class MemoryDisk {
  readonly faults: DiskFaults = {
    limitBytes: Number.POSITIVE_INFINITY,
    isBroken: false,
    slowMs: 0,
  };
  readonly #files = new Map<string, Buffer>();
  readonly #folders = new Set<string>(['/']);
  /** Appends since the last `sync`, newest last: a machine that loses power loses some of them. */
  #unsynced: { path: string; fromBytes: number }[] = [];

  get bytes(): number {
    let sum = 0;
    for (const file of this.#files.values()) sum += file.length;
    return sum;
  }

  mkdir(path: string): void {
    this.#check(path);
    for (let at = path; at.length > 1; at = at.slice(0, at.lastIndexOf('/')) || '/') {
      this.#folders.add(at);
    }
  }

  list(path: string): string[] {
    this.#check(path);
    if (!this.#folders.has(path)) throw failure('ENOENT', path);
    const prefix = `${path}/`;
    return [...this.#files.keys()]
      .filter((file) => file.startsWith(prefix) && !file.slice(prefix.length).includes('/'))
      .map((file) => file.slice(prefix.length))
      .sort();
  }

  read(path: string): Buffer {
    this.#check(path);
    const file = this.#files.get(path);
    if (file === undefined) throw failure('ENOENT', path);
    return Buffer.from(file);
  }

  write(path: string, data: Uint8Array, from: 'start' | 'end'): void {
    this.#check(path);
    const before = (from === 'end' && this.#files.get(path)) || Buffer.alloc(0);
    const left = this.faults.limitBytes - (this.bytes - (this.#files.get(path)?.length ?? 0));
    const fits = Math.max(0, Math.min(data.length, left - before.length));
    this.#files.set(path, Buffer.concat([before, data.subarray(0, fits)]));
    this.#unsynced.push({ path, fromBytes: before.length });
    if (this.#unsynced.length > 64) this.#unsynced.shift();
    if (fits < data.length) throw failure('ENOSPC', path);
  }

  rename(from: string, to: string): void {
    const file = this.read(from);
    this.#files.delete(from);
    this.#files.set(to, file);
  }

  remove(path: string): void {
    this.#check(path);
    this.#files.delete(path);
  }

  /** The process died in the middle of its last write: only a part of it is on the disk. @param share 0 to 1 */
  tear(share: number): boolean {
    const last = this.#unsynced.pop();
    const file = last && this.#files.get(last.path);
    if (!last || !file || file.length <= last.fromBytes) return false;
    const kept = last.fromBytes + Math.floor((file.length - last.fromBytes) * share);
    this.#files.set(last.path, file.subarray(0, kept));
    return true;
  }

  #check(path: string): void {
    if (this.faults.isBroken) throw failure('EIO', path);
  }
}
