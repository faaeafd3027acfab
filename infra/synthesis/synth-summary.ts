import { AssetManifestArtifact, type CloudAssembly } from 'aws-cdk-lib/cx-api';

interface Template {
  readonly Resources: Readonly<Record<string, { readonly Type: string }>>;
  readonly Outputs?: Readonly<Record<string, { readonly Description?: string }>>;
}

/** A few lines for the terminal: what was written where, and what a deployment will tell. */
export function describeAssembly(assembly: CloudAssembly, tookMs: number): string {
  const lines = assembly.stacks.flatMap((stack) => {
    const { Resources, Outputs = {} } = stack.template as Template;
    const types = Object.values(Resources).map(({ Type }) => Type);
    const alarms = types.filter((type) => type.endsWith('Alarm')).length;
    const assets = stack.dependencies
      .filter((artifact) => AssetManifestArtifact.isAssetManifestArtifact(artifact))
      .flatMap(({ contents: { files = {}, dockerImages = {} } }) => [files, dockerImages])
      .reduce((sum, kind) => sum + Object.keys(kind).length, 0);
    return [
      `${stack.stackName}: ${types.length} resources, ${alarms} alarms, ${assets} assets`,
      `  template  ${stack.templateFullPath}`,
      `  outputs   ${Object.keys(Outputs).join(', ')}`,
    ];
  });
  lines.push(`validated and written in ${(tookMs / 1000).toFixed(1)} s`, '');
  return lines.join('\n');
}
