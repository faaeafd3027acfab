import { readFileSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import type { ConfigInput } from '../../../infra/config/schema.ts';
import { DEV } from '../../../infra/config/stages.ts';
import { RtmsKinesisStack } from '../../../infra/stack.ts';

/**
 * `node app.ts <folder> <changes as JSON>`: writes the stage `dev` into an assembly, with a published image, so that no Docker is
 * needed, and with these top-level keys of the configuration in place of its own.
 */
const [outdir = '', changes = '{}'] = process.argv.slice(2);
const { context } = JSON.parse(readFileSync('cdk.json', 'utf8'));
const app = new App({ context, outdir });
const runner = { ...DEV.runner, imageUri: 'registry.example.com/rtms-runner:1' };
const config: ConfigInput = { ...DEV, runner, ...JSON.parse(changes) };
new RtmsKinesisStack(app, 'RtmsKinesis-dev', { config });
app.synth();
