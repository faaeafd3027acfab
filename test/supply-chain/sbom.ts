import { readFileSync, writeFileSync } from 'node:fs';
import { type LockedPackage, productionPackages } from './lock.ts';

/**
 * `npm run sbom`, at prepack too: writes `sbom.cdx.json`. Made from the lock file, because `npm sbom --omit dev` leaves
 * out what a test needs as well, pino and valibot among them. The same lock file gives the same bytes.
 */

/** A CycloneDX 1.6 component, as far as we fill it in. */
interface Component {
  readonly type: 'library';
  readonly 'bom-ref': string;
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly licenses: readonly { readonly license: { readonly id: string } }[];
  readonly hashes: readonly { readonly alg: 'SHA-512'; readonly content: string }[];
}

/** The bill of materials of rtms-kinesis in that version. */
export function billOfMaterials(packages: readonly LockedPackage[], version: string) {
  const root = 'rtms-kinesis';
  const component = componentOf({ name: root, version, license: 'Apache-2.0' });
  const byRef = new Map(packages.map((each) => [purl(each), componentOf(each)]));
  const refs = [...byRef.keys()].sort();
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: { component },
    components: refs.map((ref) => byRef.get(ref) as Component),
    dependencies: [{ ref: component['bom-ref'], dependsOn: refs }],
  } as const;
}

function componentOf(
  each: Pick<LockedPackage, 'name' | 'version' | 'license' | 'integrity'>,
): Component {
  const [scope, bare] = each.name.startsWith('@') ? each.name.split('/') : [];
  return {
    type: 'library',
    'bom-ref': purl(each),
    ...(scope !== undefined && { group: scope }),
    name: bare ?? each.name,
    version: each.version,
    purl: purl(each),
    licenses: [{ license: { id: each.license } }],
    hashes: each.integrity === undefined ? [] : [{ alg: 'SHA-512', content: hex(each.integrity) }],
  };
}

function purl({ name, version }: Pick<LockedPackage, 'name' | 'version'>): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

function hex(integrity: string): string {
  return Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex');
}

if (import.meta.main) {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  const bom = billOfMaterials(productionPackages(), version);
  writeFileSync('sbom.cdx.json', `${JSON.stringify(bom, null, 2)}\n`);
}
