/** What the next operations of a disk do instead of succeeding. */
export interface DiskFaults {
  /** Bytes that fit; beyond it, writes fail with ENOSPC after what still fits was written. */
  limitBytes: number;
  /** Every operation fails with EIO. */
  isBroken: boolean;
  /** How much longer each operation takes, ms. */
  slowMs: number;
}

const UNSYNCED_WRITES = 64;

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
  /** The newest writes, newest last: nobody has waited until they were on the medium. */
  readonly #unsynced: { readonly path: string; readonly fromBytes: number }[] = [];

  get bytes(): number {
    return this.bytesOf(() => true);
  }

  bytesOf(isCounted: (path: string) => boolean): number {
    let sum = 0;
    for (const [path, file] of this.#files) if (isCounted(path)) sum += file.length;
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
    if (this.#unsynced.length > UNSYNCED_WRITES) this.#unsynced.shift();
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

  /** The process was killed, or the machine lost power. @returns what came of it, in words */
  crash(random: () => number): string {
    const drawn = random();
    if (drawn < 0.4) return this.#tear(random()) ? ', with its last write torn' : '';
    const missing = drawn < 0.7 ? this.#losePower(random) : 0;
    return missing > 0 ? `, with ${missing} bytes of its files lost` : '';
  }

  /** In the middle of its last write: only a part of it is on the disk. @param share 0 to 1 */
  #tear(share: number): boolean {
    const last = this.#unsynced.pop();
    const file = last && this.#files.get(last.path);
    if (!last || !file || file.length <= last.fromBytes) return false;
    const kept = last.fromBytes + Math.floor((file.length - last.fromBytes) * share);
    this.#files.set(last.path, file.subarray(0, kept));
    return true;
  }

  /**
   * Of each file, some of the newest writes are missing, and the oldest of these is there in part, or
   * as zeros where the file system had counted its length but not written it.
   *
   * @returns how many bytes are missing
   */
  #losePower(random: () => number): number {
    let missing = 0;
    for (const path of new Set(this.#unsynced.map((write) => write.path))) {
      const file = this.#files.get(path);
      const writes = this.#unsynced.filter((write) => write.path === path);
      const cut = writes[Math.floor(random() * (writes.length + 1))];
      if (file === undefined || cut === undefined || cut.fromBytes >= file.length) continue;
      const kept = cut.fromBytes + Math.floor((file.length - cut.fromBytes) * random());
      missing += file.length - kept;
      const zeros = Buffer.alloc(random() < 0.3 ? file.length - kept : 0);
      this.#files.set(path, Buffer.concat([file.subarray(0, kept), zeros]));
    }
    this.#unsynced.length = 0;
    return missing;
  }

  #check(path: string): void {
    if (this.faults.isBroken) throw failure('EIO', path);
  }
}
