import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stack, Stage } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { buildSync } from 'esbuild';
import { bundleOptions } from './bundle-options.ts';

/**
 * Bundles one entry file, AWS SDK included, into a directory of its own inside the cloud assembly; its contents become an
 * asset. esbuild runs in this process, so this needs no Docker and no network.
 *
 * @param entry path from the repository's root
 * @param place another bundle's directory, and a file name of this bundle's own in it
 * @returns the directory. The module in it is empty when the context excludes this stack from bundling
 *   (`aws:cdk:bundling-stacks`, set by `cdk list` and by tests)
 * @throws Error when the construct is in no App
 */
export function bundle(
  scope: IConstruct,
  entry: string,
  runsOn: 'lambda' | 'fargate',
  place: { readonly directory?: string; readonly file?: string } = {},
): string {
  const assembly = Stage.of(scope)?.outdir;
  if (assembly === undefined) throw new Error('a bundle needs a construct inside an App');
  const ownDirectory = entry.replaceAll('/', '-').replace(/\.ts$/, '');
  const { directory = join(assembly, 'bundles', ownDirectory), file = 'index.mjs' } = place;
  const outfile = join(directory, file);
  mkdirSync(directory, { recursive: true });
  if (!Stack.of(scope).bundlingRequired) {
    writeFileSync(outfile, '');
    return directory;
  }
  buildSync({ ...bundleOptions(entry, runsOn), outfile });
  return directory;
}
