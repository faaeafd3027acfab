import { App } from 'aws-cdk-lib';
import { eventsStreamArn } from '../events-stream-arn.ts';
import { EventsToBus } from './stack.ts';

/** `npx cdk deploy --app 'node docs/examples/event-bus/app.ts' -c eventsStreamArn=arn:aws:kinesis:…`. */
const app = new App();
new EventsToBus(app, 'RtmsEventsToBus', { eventsStreamArn: eventsStreamArn(app) });
app.synth();
