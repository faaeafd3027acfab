import { App } from 'aws-cdk-lib';
import { eventsStreamArn } from '../events-stream-arn.ts';
import { TranscriptTable } from './stack.ts';

/** `npx cdk deploy --app 'node docs/examples/firehose/app.ts' -c eventsStreamArn=arn:aws:kinesis:…`. */
const app = new App();
new TranscriptTable(app, 'RtmsTranscriptTable', { eventsStreamArn: eventsStreamArn(app) });
app.synth();
