import type { LockedPackage } from './lock.ts';

/** Versions of a package that an advisory is about. */
export interface Advisory {
  readonly name: string;
  /** First good version of each release line that got a fix; lines above the last one are good. */
  readonly fixed: readonly string[];
  readonly ids: string;
}

/**
 * Advisories about packages of our lock file, read 2026-11-27. A net against coming back, not a substitute for
 * `npm run audit`, which asks the registry for all that are known today and needs one that answers.
 */
export const ADVISORIES: readonly Advisory[] = [
  { name: 'protobufjs', fixed: ['7.5.6', '8.0.2'], ids: 'CVE-2023-36665, CVE-2026-44291' },
  { name: 'lodash', fixed: ['4.17.21'], ids: 'CVE-2021-23337, CVE-2020-28500' },
  { name: 'async', fixed: ['2.6.4', '3.2.2'], ids: 'CVE-2021-43138' },
  { name: 'minimist', fixed: ['1.2.6'], ids: 'CVE-2021-44906' },
  { name: 'semver', fixed: ['5.7.2', '6.3.1', '7.5.2'], ids: 'CVE-2022-25883' },
  { name: 'ws', fixed: ['5.2.4', '6.2.3', '7.5.10', '8.17.1'], ids: 'CVE-2024-37890' },
  { name: 'ajv', fixed: ['6.12.3'], ids: 'CVE-2020-15366' },
  { name: 'nanoid', fixed: ['3.3.8', '5.0.9'], ids: 'CVE-2024-55565' },
  { name: 'postcss', fixed: ['8.4.31'], ids: 'CVE-2023-44270' },
  { name: 'esbuild', fixed: ['0.25.0'], ids: 'GHSA-67mh-4wv8-2f99' },
  { name: 'vite', fixed: ['4.5.14', '5.4.19', '6.3.4'], ids: 'CVE-2025-46565' },
  { name: 'vitest', fixed: ['1.6.1', '2.1.9', '3.0.5'], ids: 'CVE-2025-24964' },
  { name: 'fastify', fixed: ['4.29.1', '5.3.2'], ids: 'CVE-2025-32442' },
  { name: 'find-my-way', fixed: ['8.2.2', '9.0.1'], ids: 'CVE-2024-45813' },
  { name: 'cookie', fixed: ['0.7.0'], ids: 'CVE-2024-47764' },
  { name: 'debug', fixed: ['2.6.9', '3.1.0'], ids: 'CVE-2017-16137' },
  { name: 'minimatch', fixed: ['3.0.5'], ids: 'CVE-2022-3517' },
  { name: 'brace-expansion', fixed: ['1.1.12', '2.0.2', '3.0.1', '4.0.1'], ids: 'CVE-2025-5889' },
  { name: 'yaml', fixed: ['2.2.2'], ids: 'CVE-2023-2251 (from 2.0.0 on)' },
];

/** Lines older than what the advisory is about. */
const UNAFFECTED: Readonly<Record<string, readonly number[]>> = { yaml: [1] };

/** @returns each package that an advisory is about, in words */
export function vulnerable(
  packages: readonly Pick<LockedPackage, 'name' | 'version'>[],
  advisories = ADVISORIES,
): string[] {
  return packages.flatMap(({ name, version }) =>
    advisories
      .filter((advisory) => advisory.name === name && isAffected(version, advisory))
      .map(({ ids }) => `${name}@${version}: ${ids}`),
  );
}

function isAffected(version: string, { name, fixed }: Advisory): boolean {
  const major = numbers(version)[0] as number;
  if (UNAFFECTED[name]?.includes(major)) return false;
  const ofLine = fixed.find((each) => numbers(each)[0] === major);
  const last = fixed.at(-1) as string;
  return isBefore(version, ofLine ?? last);
}

function isBefore(version: string, other: string): boolean {
  const [a, b] = [numbers(version), numbers(other)];
  for (const [index, part] of b.entries()) {
    const mine = a[index] ?? 0;
    if (mine !== part) return mine < part;
  }
  return false;
}

function numbers(version: string): number[] {
  return version.split('-', 1)[0]?.split('.').map(Number) ?? [];
}
