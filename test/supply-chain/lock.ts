import { readFileSync } from 'node:fs';

/** One installed package as `package-lock.json` names it. */
export interface LockedPackage {
  readonly path: string;
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly integrity?: string;
  /** Part of another package's archive, whose integrity covers it. */
  readonly isBundled: boolean;
  /** Needed to build and test alone. */
  readonly isDev: boolean;
  readonly hasInstallScript: boolean;
}

interface Entry {
  readonly version: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly inBundle?: boolean;
  readonly dev?: boolean;
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
  readonly peerDependenciesMeta?: Record<string, { readonly optional?: boolean }>;
  readonly hasInstallScript?: boolean;
}

/** Everything `npm ci` installs, by path. @param text of a `package-lock.json`, version 3 */
export function lockedPackages(text = readFileSync('package-lock.json', 'utf8')): LockedPackage[] {
  const { packages } = JSON.parse(text) as { packages: Record<string, Entry> };
  return Object.entries(packages)
    .filter(([path]) => path !== '')
    .map(([path, entry]) => ({
      path,
      name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
      version: entry.version,
      license: entry.license ?? 'UNKNOWN',
      ...(entry.integrity !== undefined && { integrity: entry.integrity }),
      isBundled: entry.inBundle === true,
      isDev: entry.dev === true,
      hasInstallScript: entry.hasInstallScript === true,
    }));
}

/**
 * What runs in a deployment or comes with `npm install rtms-kinesis`: all that its dependencies lead to, followed as Node
 * resolves them. npm's own flags do not tell: what is needed here and by a test as well counts as both, and a peer that this
 * checkout installs for itself counts as needed for development alone.
 */
export function productionPackages(
  text = readFileSync('package-lock.json', 'utf8'),
): LockedPackage[] {
  const { packages } = JSON.parse(text) as { packages: Record<string, Entry> };
  const byPath = new Map(lockedPackages(text).map((each) => [each.path, each]));
  const found = new Map<string, LockedPackage>();
  const waiting = [''];
  for (let from = waiting.pop(); from !== undefined; from = waiting.pop()) {
    const { dependencies = {}, optionalDependencies = {} } = packages[from] ?? {};
    const peers = requiredPeers(packages[from] ?? {});
    // Our own are the Node of a checkout: what is published does not name them (local/published-manifest.mjs).
    const optional = from === '' ? {} : optionalDependencies;
    for (const name of [...Object.keys(dependencies), ...peers, ...Object.keys(optional)]) {
      const path = resolve(packages, from, name);
      const next = path === undefined ? undefined : byPath.get(path);
      if (path === undefined || next === undefined || found.has(path)) continue;
      found.set(path, next);
      waiting.push(path);
    }
  }
  return [...found.values()];
}

/** Peers that npm installs with a package, unless its user has them already. @param manifest a `package.json`, or its entry in a lock */
export function requiredPeers(
  manifest: Pick<Entry, 'peerDependencies' | 'peerDependenciesMeta'>,
): string[] {
  const { peerDependencies = {}, peerDependenciesMeta = {} } = manifest;
  return Object.keys(peerDependencies).filter((name) => !peerDependenciesMeta[name]?.optional);
}

/** The folder in which a package finds another: its own `node_modules`, else those of the folders above it. */
function resolve(packages: Record<string, Entry>, from: string, name: string): string | undefined {
  for (let folder = from; ; ) {
    const path = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (path in packages) return path;
    if (folder === '') return undefined;
    const above = folder.lastIndexOf('/node_modules/');
    folder = above < 0 ? '' : folder.slice(0, above);
  }
}
