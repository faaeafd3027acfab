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
 * @param place beside another bundle, under a name of its own
 * @returns the directory; the module in it is empty when the context says that this stack's assets are not
 *   wanted (`aws:cdk:bundling-stacks`, set by `cdk list` and by tests)
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
