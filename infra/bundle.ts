import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stack, Stage } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { buildSync } from 'esbuild';
import { bundleOptions } from './bundle-options.ts';

/**
 * Bundles one entry file, SDK included, into a directory of its own inside the cloud assembly, whose
 * contents become an asset. In process with esbuild: no Docker, no network.
 *
 * @param entry path from the repository's root
 * @returns the directory; its `index.mjs` is empty when the context says that this stack's assets are not
 *   wanted (`aws:cdk:bundling-stacks`, set by `cdk list` and by tests)
 */
export function bundle(scope: IConstruct, entry: string, runsOn: 'lambda' | 'fargate'): string {
  const assembly = Stage.of(scope)?.outdir;
  if (assembly === undefined) throw new Error('a bundle needs a construct inside an App');
  const directory = join(assembly, 'bundles', entry.replaceAll('/', '-').replace(/\.ts$/, ''));
  const outfile = join(directory, 'index.mjs');
  mkdirSync(directory, { recursive: true });
  if (!Stack.of(scope).bundlingRequired) {
    writeFileSync(outfile, '');
    return directory;
  }
  buildSync({ ...bundleOptions(entry, runsOn), outfile });
  return directory;
}
