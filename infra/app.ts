import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { App, Validations } from 'aws-cdk-lib';
import { AssetManifestArtifact, type CloudAssembly } from 'aws-cdk-lib/cx-api';
import { AwsSolutionsChecks } from 'cdk-nag';
import { fromRoot } from './bundling/bundle-options.ts';
import { STAGES } from './config/stages.ts';
import { RtmsKinesisStack } from './stack.ts';

/**
 * Synthesizes the stack of one stage: `npx cdk synth -c stage=prod`, or by hand `npm run synth -- --stage prod`. A finding
 * of CDK's validator or of cdk-nag ends it with an error.
 */
const { CDK_OUTDIR } = process.env;
const startedAtMs = performance.now();
// `cdk` hands the context over by environment. Run by hand, it comes from the same file.
const { context } = JSON.parse(readFileSync(fromRoot('cdk.json'), 'utf8'));
const { values } = parseArgs({ options: { stage: { type: 'string' } } });
const app = new App({
  context: { ...context, ...(values.stage !== undefined && { stage: values.stage }) },
  outdir: CDK_OUTDIR ?? fromRoot('cdk.out'),
});
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));

const stage: unknown = app.node.tryGetContext('stage');
const config = typeof stage === 'string' ? STAGES[stage] : undefined;
if (config === undefined) {
  throw new Error(`context "stage" is ${stage}; known: ${Object.keys(STAGES).join(', ')}`);
}
new RtmsKinesisStack(app, `RtmsKinesis-${stage}`, { config });

const assembly = app.synth();
if (CDK_OUTDIR === undefined) {
  process.stdout.write(describeAssembly(assembly, performance.now() - startedAtMs));
}

interface Template {
  readonly Resources: Readonly<Record<string, { readonly Type: string }>>;
  readonly Outputs?: Readonly<Record<string, { readonly Description?: string }>>;
}

/** Lines for the terminal: what was written where, and the outputs that a deployment will have. */
function describeAssembly(assembly: CloudAssembly, tookMs: number): string {
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
