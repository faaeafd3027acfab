import { writeFileSync } from 'node:fs';
import { type LockedPackage, productionPackages } from './lock.ts';

/**
 * `npm run third-party`: writes THIRD_PARTY.md from the lock file. A test fails when the page is not what this would
 * write, or when a licence appears that nobody has looked at.
 */

/** Licences that an Apache-2.0 product may depend on, and what each asks for. */
export const KNOWN_LICENSES: Readonly<Record<string, string>> = {
  'Apache-2.0': 'keep the licence and the NOTICE',
  MIT: 'keep the copyright line and the licence',
  ISC: 'keep the copyright line and the licence',
  'BSD-3-Clause': 'keep the copyright line and the licence; no endorsement',
  'MIT-0': 'nothing',
  '0BSD': 'nothing',
  'MPL-2.0': 'say where the source is; changed files stay under MPL-2.0',
};

/** Packages whose licence asks for a word of ours. */
const NOTICES: Readonly<Record<string, (version: string) => string>> = {
  mediabunny: (version) =>
    `**mediabunny ${version}** is used unchanged under the Mozilla Public License 2.0. Its source in the form its ` +
    `authors prefer is at https://github.com/Vanilagy/mediabunny (tag v${version}) and, as published, in the npm package ` +
    `\`mediabunny@${version}\`. The licence: https://mozilla.org/MPL/2.0/. Nothing of it was modified here; its files stay ` +
    'under MPL-2.0 wherever this product is bundled with them.',
  '@mediabunny/aac-encoder': (version) =>
    `**@mediabunny/aac-encoder ${version}** is used unchanged under the Mozilla Public License 2.0; its source is in the same ` +
    'repository as that of mediabunny, and in the npm package. Inside is a WebAssembly build of the AAC encoder of FFmpeg ' +
    '(libavcodec and libavutil, GNU Lesser General Public License 2.1 or later, https://ffmpeg.org/legal.html); the README of ' +
    'the package says how it is built, so that anybody can put another build in its place. Only exports with `meeting.mp4` ' +
    'load it; runners and Lambda functions do not. Who sells products that encode AAC may need a patent licence.',
  'h264-mp4-encoder': (version) =>
    `**h264-mp4-encoder ${version}** is used unchanged under the MIT License. Inside is a WebAssembly build of minih264 (CC0), libyuv ` +
    '(BSD-3-Clause) and mp4v2 (Mozilla Public License 1.1); the sources are at https://github.com/TrevorSundberg/h264-mp4-encoder. Only ' +
    'exports of a meeting with a share in JPG or PNG load it. Who sells products that encode H.264 may need a patent licence.',
};

/** The page for these packages. */
export function thirdPartyPage(packages: readonly LockedPackage[]): string {
  const unique = new Map(packages.map((each) => [`${each.name}@${each.version}`, each]));
  const rows = [...unique.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  const licenses = [...new Set(rows.map(({ license }) => license))].sort();
  const notices = rows.flatMap(({ name, version }) => NOTICES[name]?.(version) ?? []);
  return [
    '# Third-party software',
    '',
    'What a deployment of rtms-kinesis runs beside its own code, and what `npm install rtms-kinesis` brings: the packages of',
    '`package-lock.json` that are needed outside of builds and tests. Written by `npm run third-party`; the same list for',
    'machines is `sbom.cdx.json` (CycloneDX) in the published package. Each package comes with the text of its licence.',
    '',
    '## Notices',
    '',
    ...notices.flatMap((notice) => [notice, '']),
    '## Licences',
    '',
    '| licence | packages | asks for |',
    '|---|---|---|',
    ...licenses.map((license) => {
      const count = rows.filter((row) => row.license === license).length;
      return `| ${license} | ${count} | ${KNOWN_LICENSES[license] ?? '**not looked at yet**'} |`;
    }),
    '',
    '## Packages',
    '',
    '| package | version | licence |',
    '|---|---|---|',
    ...rows.map(({ name, version, license }) => `| ${name} | ${version} | ${license} |`),
    '',
  ].join('\n');
}

if (import.meta.main) writeFileSync('THIRD_PARTY.md', thirdPartyPage(productionPackages()));
