import { KinesisClient } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { events } from '../../../sdk/consumer/index.ts';

/** Prints what is said in all meetings, as it is said: `node live-transcript.ts <events stream>`, until Ctrl-C. */

const [streamName] = process.argv.slice(2);
if (streamName === undefined) {
  process.stderr.write('usage: node live-transcript.ts <events stream>\n');
  process.exit(2);
}

// With HTTP/1.1 it reads the local stack too (AWS_ENDPOINT_URL_KINESIS).
const client = new KinesisClient({ requestHandler: new NodeHttpHandler() });
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());

const { signal } = stop;
// One odd record must not end the transcript of all meetings.
const onBadRecord = ({ message }: Error) => void process.stderr.write(`skipped: ${message}\n`);

for await (const event of events({ client, streamName, startAt: 'LATEST', signal, onBadRecord })) {
  if (event.name !== 'transcript') continue;
  const { userName, userId, channelId, text } = event.data;
  const speaker = userName ?? userId ?? channelId ?? 'somebody';
  const line = `${event.time.toISOString().slice(11, 19)}  ${speaker}: ${text}`;
  // Participants choose names and words, and no control character in them may move the cursor.
  process.stdout.write(`${line.replace(/\p{Cc}/gu, ' ')}\n`);
}
client.destroy();
