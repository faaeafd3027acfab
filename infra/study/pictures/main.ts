import { readFileSync, writeFileSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import { fromRoot } from '../../bundling/bundle-options.ts';
import { PROD } from '../../config/stages.ts';
import { RtmsKinesisStack } from '../../stack.ts';
import { drawDashboard, widgetsOf } from './dashboard-picture.ts';

/** `node infra/study/pictures/main.ts` writes docs/dashboard.svg: the dashboard that the stage prod would deploy. */
const { context } = JSON.parse(readFileSync(fromRoot('cdk.json'), 'utf8'));
const app = new App({
  context: { ...context, 'aws:cdk:bundling-stacks': [] },
  builtinCloudFormationValidation: false,
});
const stack = new RtmsKinesisStack(app, 'RtmsKinesis-prod', { config: PROD });
writeFileSync(fromRoot('docs/dashboard.svg'), drawDashboard(widgetsOf(stack)));
