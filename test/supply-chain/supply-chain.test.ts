import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { vulnerable } from './advisories.ts';
import { type LockedPackage, lockedPackages, productionPackages, requiredPeers } from './lock.ts';
import { billOfMaterials } from './sbom.ts';
import { KNOWN_LICENSES, thirdPartyPage } from './third-party.ts';

/**
 * Packages that run a script when they are installed, each looked at: `classic-level` (the store behind dynalite) picks a
 * binary that is in its archive, `esbuild` checks that its binary starts, `fsevents` is for macOS. None runs in
 * production.
 */
const LOOKED_AT = ['classic-level', 'esbuild', 'fsevents'];

const packages = lockedPackages();
const inProduction = new Set(productionPackages().map(({ path }) => path));

test('every package of the lock file has an integrity, or is part of an archive that has one', () => {
  const without = packages.filter(({ integrity, isBundled }) => !integrity && !isBundled);
  expect(without.map(({ path }) => path)).toEqual([]);
  for (const { path, integrity, isBundled } of packages) {
    if (!isBundled) expect(integrity, path).toMatch(/^sha512-/);
  }
});

/** Names of packages whose install script nobody has looked at, or that run one in production. */
const withScript = (all: readonly LockedPackage[]) =>
  all
    .filter(({ hasInstallScript }) => hasInstallScript)
    .filter(
      ({ name, isDev, path }) => !isDev || inProduction.has(path) || !LOOKED_AT.includes(name),
    )
    .map(({ name }) => name);

test('no package runs a script when it is installed, but those that were looked at', () => {
  expect(withScript(packages)).toEqual([]);
  const [any] = packages as [LockedPackage];
  const added = { ...any, name: 'left-pad', hasInstallScript: true };
  expect(withScript([...packages, added])).toEqual(['left-pad']);
});

test('every direct dependency is pinned to one version', async () => {
  const manifest = JSON.parse(await readFile('package.json', 'utf8'));
  for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies']) {
    for (const [name, version] of Object.entries(manifest[kind])) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+(-[\w.]+)?$/);
    }
  }
});

test('a peer of every user is a range, and a development dependency of this checkout', async () => {
  const manifest = JSON.parse(await readFile('package.json', 'utf8'));
  expect(requiredPeers(manifest)).toEqual(['@aws-sdk/client-kinesis']);
  for (const name of requiredPeers(manifest)) {
    expect(manifest.peerDependencies[name]).toMatch(/^\^\d+\.\d+\.\d+$/);
    expect(manifest.devDependencies).toHaveProperty(name);
    expect(manifest.dependencies).not.toHaveProperty(name);
  }
});

test('the package itself runs no script where it is installed', async () => {
  const { scripts } = JSON.parse(await readFile('package.json', 'utf8'));
  for (const name of ['preinstall', 'install', 'postinstall', 'prepare']) {
    expect(scripts).not.toHaveProperty(name);
  }
});

test('no package is one that an advisory is about', () => {
  expect(vulnerable(packages)).toEqual([]);
});

test.each([
  ['protobufjs', '7.2.4', true],
  ['protobufjs', '7.5.6', false],
  ['protobufjs', '6.11.4', true],
  ['protobufjs', '8.0.1', true],
  ['protobufjs', '8.8.1', false],
  ['lodash', '4.17.20', true],
  ['yaml', '1.10.3', false],
  ['left-pad', '0.0.1', false],
])('an advisory is about %s %s: %s', (name, version, isAffected) => {
  expect(vulnerable([{ name, version }]).length > 0).toBe(isAffected);
});

test('THIRD_PARTY.md is what `npm run third-party` writes, with licences that were looked at', async () => {
  const production = productionPackages();
  expect(await readFile('THIRD_PARTY.md', 'utf8')).toBe(thirdPartyPage(production));
  for (const { name, license } of production) {
    expect(Object.keys(KNOWN_LICENSES), name).toContain(license);
  }
});

test('the published package has a bill of materials', async () => {
  const { files, scripts } = JSON.parse(await readFile('package.json', 'utf8'));
  expect(files).toEqual(expect.arrayContaining(['sbom.cdx.json', 'THIRD_PARTY.md']));
  expect(scripts.prepack).toContain('npm run sbom');
});

test('the bill of materials names all production dependencies, with versions, licences and hashes', async () => {
  const manifest = JSON.parse(await readFile('package.json', 'utf8'));
  const { dependencies, devDependencies, version } = manifest;
  const bom = billOfMaterials(productionPackages(), version);
  const component = { name: 'rtms-kinesis', version };
  expect(bom).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component } });
  const purls = bom.components.map(({ purl }) => purl.replace('%40', '@'));
  const peers = requiredPeers(manifest).map((name) => [name, devDependencies[name]]);
  for (const [name, pinned] of [...Object.entries(dependencies), ...peers]) {
    expect(purls).toContain(`pkg:npm/${name}@${pinned}`);
  }
  expect(new Set(purls).size).toBe(purls.length);
  for (const { hashes, licenses, name } of bom.components) {
    expect(hashes[0]?.content, name).toMatch(/^[0-9a-f]{128}$/);
    expect(licenses[0]?.license.id, name).toBeDefined();
  }
});
