import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { fromRoot } from './bundling/bundle-options.ts';
import type { ConfigInput } from './config/config.ts';
import { DEV } from './config/stages/dev.ts';
import { PROD } from './config/stages/prod.ts';
import { REGULATED } from './config/stages/regulated.ts';
import { RtmsKinesisStack } from './stack.ts';
import { describeAssembly } from './synthesis/synth-summary.ts';

const STAGES: Readonly<Record<string, ConfigInput>> = {
  dev: DEV,
  prod: PROD,
  regulated: REGULATED,
};

const { CDK_OUTDIR } = process.env;
const startedAtMs = performance.now();
// Run by the cdk command, the context arrives by environment; run by hand, from the same file.
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
