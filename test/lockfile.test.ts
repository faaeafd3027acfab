import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/**
 * `npm ci` refuses a lockfile that lacks an optional package, and `npm install` leaves those out that its
 * registry does not offer (binaries for other platforms): then they are to be put back by hand.
 */
test('the lockfile names every optional package, so that npm ci takes it', () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { version?: string; optionalDependencies?: Record<string, string> }>;
  };
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) =>
        packages[`node_modules/${name}`]?.version === undefined &&
        packages[`${path}/node_modules/${name}`]?.version === undefined,
    ),
  );
  expect(missing).toEqual([]);
});
