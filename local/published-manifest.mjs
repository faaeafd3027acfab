/**
 * Removes the optional dependencies from package.json for publishing: `node local/published-manifest.mjs strip` runs
 * before packing, `restore` after it.
 *
 * The optional dependencies are the Node on which a checkout on Linux runs. In a project that depends on this package
 * they would be 120 MB for each release, and its `npm start` would run on our Node instead of its own. They cannot be
 * development dependencies, because npm refuses those on every platform but their own.
 */
import { copyFileSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';

const MANIFEST = 'package.json';
const KEPT = '.package.json.checkout';

const [command] = process.argv.slice(2);
if (command === 'strip') {
  copyFileSync(MANIFEST, KEPT);
  const { optionalDependencies: _, ...published } = JSON.parse(readFileSync(MANIFEST, 'utf8'));
  writeFileSync(MANIFEST, `${JSON.stringify(published, undefined, 2)}\n`);
} else if (command === 'restore') {
  if (statSync(KEPT, { throwIfNoEntry: false })) renameSync(KEPT, MANIFEST);
} else {
  process.stderr.write('published-manifest.mjs: strip or restore\n');
  process.exitCode = 1;
}
