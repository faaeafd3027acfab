import { Stack } from 'aws-cdk-lib';
import { CfnQueue } from 'aws-cdk-lib/aws-sqs';
import { expect, test } from 'vitest';
import { addStack, CONFIGS, createValidatedApp } from '../../test/support/infra-templates.ts';

/** The first synthesis of a process also compiles the validator's rules. */
const TIMEOUT_MS = 120_000;

test('every configuration passes the CloudFormation validator and cdk-nag', {
  timeout: TIMEOUT_MS,
}, () => {
  const app = createValidatedApp();
  for (const name of Object.keys(CONFIGS)) addStack(app, name);
  expect(() => app.synth()).not.toThrow();
});

test.each([
  ['the validator', { visibilityTimeout: 999_999 }, /VisibilityTimeout: 999999 is greater/],
  ['cdk-nag', {}, /AwsSolutions-SQS3/],
])('a finding of %s fails the build', { timeout: TIMEOUT_MS }, (_, properties, finding) => {
  const app = createValidatedApp();
  new CfnQueue(new Stack(app, 'Bad'), 'Queue', properties);
  expect(() => app.synth()).toThrow(finding);
});
