import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundleOptions } from '../../infra/bundling/bundle-options.ts';

export interface FunctionBundle {
  readonly file: string;
  /** Holds the file and nothing else. */
  readonly directory: string;
}

/**
 * Bundles a function as a deployment does. An execution that imported the sources would need three times as long to
 * start, and would run other code than Lambda.
 *
 * @param entry path inside the repository
 */
export async function bundleFunction(entry: string): Promise<FunctionBundle> {
  const directory = await mkdtemp(join(tmpdir(), 'rtms-bundle-'));
  const file = join(directory, 'index.mjs');
  await build({ ...bundleOptions(entry, 'lambda'), outfile: file });
  return { file, directory };
}
