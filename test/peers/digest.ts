import { createHash } from 'node:crypto';
import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Changes with every file of these folders. @returns SHA-256, hexadecimal */
export function digestOf(paths: readonly string[]): string {
  const files = paths.flatMap((path) =>
    statSync(path).isDirectory()
      ? globSync('**/*.*', { cwd: path }).map((file) => join(path, file))
      : path,
  );
  const digest = createHash('sha256');
  for (const file of files.sort()) {
    if (statSync(file).isFile()) digest.update(file).update(readFileSync(file));
  }
  return digest.digest('hex');
}
