import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { fromRoot } from './bundle-options.ts';
import type { ConfigInput } from './config.ts';
import { RtmsKinesisStack } from './stack.ts';
import { DEV } from './stages/dev.ts';
import { PROD } from './stages/prod.ts';
import { REGULATED } from './stages/regulated.ts';
import { describeAssembly } from './synth-summary.ts';

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
