import type { App } from 'aws-cdk-lib';

/** @returns what `-c eventsStreamArn=…` names. @throws Error that says what to give */
export function eventsStreamArn(app: App): string {
  const arn: unknown = app.node.tryGetContext('eventsStreamArn');
  if (typeof arn === 'string' && /^arn:[\w-]+:kinesis:[\w-]+:\d{12}:stream\/.+$/.test(arn)) {
    return arn;
  }
  throw new Error(
    'name the events stream by its ARN (the output EventsStreamArn): -c eventsStreamArn=arn:aws:kinesis:<region>:<account>:stream/<name>',
  );
}
