import type { MemoryDisk } from '../world/disk.ts';
import { running } from '../world/machine.ts';

const OPERATION_MS = 0.2;

/** One operation on the disk of the process that runs: it takes effect at once, and answers later. */
function operate<T>(act: (disk: MemoryDisk) => T): Promise<T> {
  const machine = running();
  if (machine === undefined) throw new Error('a file outside of every simulated process');
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  if (!machine.mayAct()) return promise;
  const takesMs = OPERATION_MS + machine.disk.faults.slowMs;
  try {
    const result = act(machine.disk);
    machine.after(takesMs, () => resolve(result));
  } catch (error) {
    machine.after(takesMs, () => reject(error as Error));
  }
  return promise;
}

export function mkdir(path: string): Promise<void> {
  return operate((disk) => disk.mkdir(path));
}

export function readdir(path: string) {
  return operate((disk) => disk.list(path).map((name) => ({ name, isFile: () => true })));
}

export function readFile(path: string): Promise<Buffer> {
  return operate((disk) => disk.read(path));
}

export function stat(path: string): Promise<{ size: number }> {
  return operate((disk) => ({ size: disk.read(path).length }));
}

export function appendFile(path: string, data: Uint8Array): Promise<void> {
  return operate((disk) => disk.write(path, data, 'end'));
}

export function writeFile(path: string, data: Uint8Array): Promise<void> {
  return operate((disk) => disk.write(path, data, 'start'));
}

export function rename(from: string, to: string): Promise<void> {
  return operate((disk) => disk.rename(from, to));
}

export function rm(path: string): Promise<void> {
  return operate((disk) => disk.remove(path));
}
