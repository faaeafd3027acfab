import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { partialPath } from '../exporter.ts';

interface HashedFile {
  /** Relative to the folder of the manifest, with `/` between folders. */
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

/**
 * Reads files to their end.
 *
 * @param paths files and folders; of a folder everything in it
 */
export async function hashFiles(
  paths: readonly string[],
  nameOf: (path: string) => string,
): Promise<HashedFile[]> {
  const hashed: HashedFile[] = [];
  for (const path of await allFiles(paths)) {
    const hash = createHash('sha256');
    await pipeline(createReadStream(path), hash);
    const { size: bytes } = await stat(path);
    hashed.push({ file: nameOf(path), bytes, sha256: hash.digest('hex') });
  }
  return hashed;
}

/** Writes a document under its temporary name first. @returns its path */
export async function writeDocument(path: string, text: string): Promise<string> {
  await writeFile(partialPath(path), text);
  await rename(partialPath(path), path);
  return path;
}

async function allFiles(paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    if (!(await stat(path)).isDirectory()) found.push(path);
    else {
      const names = (await readdir(path)).sort();
      found.push(...(await allFiles(names.map((name) => join(path, name)))));
    }
  }
  return found;
}
