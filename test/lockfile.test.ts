import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

interface LockedPackage {
  readonly version?: string;
  readonly inBundle?: boolean;
  readonly optionalDependencies?: Record<string, string>;
}

/**
 * `npm ci` refuses a lockfile that lacks an optional package, and `npm install` leaves those out that its
 * registry does not offer (binaries for other platforms): then they are to be put back by hand.
 */
test('the lockfile names every optional package, so that npm ci takes it', () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  const missing = Object.entries(packages).flatMap(([path, { inBundle, optionalDependencies }]) =>
    // What a package brings inside its own archive npm does not look for.
    Object.keys((!inBundle && optionalDependencies) || {}).filter(
      (name) =>
        packages[`node_modules/${name}`]?.version === undefined &&
        packages[`${path}/node_modules/${name}`]?.version === undefined,
    ),
  );
  expect(missing).toEqual([]);
});

/** The packages themselves do not say it; `npm install` takes it out again. On musl (Alpine) they cannot run. */
test('the Node of a checkout is installed only where its C library is', () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { libc?: string[] }>;
  };
  for (const cpu of ['x64', 'arm64']) {
    expect(packages[`node_modules/node-linux-${cpu}`]).toMatchObject({ libc: ['glibc'] });
  }
});
