import { KinesisClient } from '@aws-sdk/client-kinesis';
import { events } from '../../../sdk/consumer/index.ts';

/** Prints the transcript in a stream, read by the project's own client. */
const client = new KinesisClient({
  region: 'us-east-1',
  endpoint: process.env['KINESIS_URL'] as string,
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  requestHandler: { requestTimeout: 5_000 },
});
for await (const event of events({ client, streamName: 'events', stopAtTip: true })) {
  if (event.name !== 'transcript') continue;
  process.stdout.write(`${event.data.userName}: ${event.data.text}\n`);
}
