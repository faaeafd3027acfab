import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type LocalSqs, startSqs } from '../../local/aws/sqs.ts';
import { SILENT_LOGGER } from '../../shared/logger.ts';
import { encodeSessionJob } from '../../shared/session-job.ts';
import { waitFor } from '../../test/support/wait.ts';
import { pollJobs } from './job-poller.ts';
import type { OfferOutcome } from './pool-options.ts';

let server: LocalSqs;
let client: SQSClient;
let queueUrl: string;

beforeAll(async () => {
  server = await startSqs();
  client = new SQSClient({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${server.port}`,
    useQueueUrlAsEndpoint: false,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
});
afterAll(async () => {
  client.destroy();
  await server.close();
});

let room: number;
let offered: string[];
let answers: OfferOutcome[];
let connected: PromiseWithResolvers<void>;
let stop: AbortController;
let polling: Promise<void>;
let queues = 0;

beforeEach(async () => {
  // A queue for each test: a long poll that was broken off may take a message with it.
  queues += 1;
  const created = await client.send(new CreateQueueCommand({ QueueName: `jobs-${queues}` }));
  queueUrl = created.QueueUrl ?? '';
  [room, offered, answers] = [10, [], []];
  connected = Promise.withResolvers();
  stop = new AbortController();
  const options = {
    client,
    queueUrl,
    room: () => room,
    offer: async (rtmsStreamId: string) => {
      offered.push(rtmsStreamId);
      return answers.shift() ?? 'done';
    },
    connected: () => connected.promise,
    onBeat() {},
    logger: SILENT_LOGGER,
  };
  polling = pollJobs(options, stop.signal);
});
afterEach(async () => {
  stop.abort();
  connected.resolve();
  await polling;
});

const send = (body: string) =>
  client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }));

async function waiting(): Promise<{ visible: number; hidden: number }> {
  const command = new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames: ['All'] });
  const { Attributes } = await client.send(command);
  return {
    visible: Number(Attributes?.['ApproximateNumberOfMessages']),
    hidden: Number(Attributes?.['ApproximateNumberOfMessagesNotVisible']),
  };
}

test('keeps the message until the stream is connected', async () => {
  await send(encodeSessionJob('a'));
  await waitFor(() => expect(offered).toEqual(['a']));
  expect(await waiting()).toEqual({ visible: 0, hidden: 1 });
  connected.resolve();
  await waitFor(async () => expect(await waiting()).toEqual({ visible: 0, hidden: 0 }));
});

test('goes on while a stream takes long to connect', async () => {
  await send(encodeSessionJob('a'));
  await waitFor(() => expect(offered).toEqual(['a']));
  await send(encodeSessionJob('b'));
  await waitFor(() => expect(offered).toEqual(['a', 'b']));
});

test('gives a message back at once when there is no room after all', async () => {
  answers = ['refused'];
  connected.resolve();
  await send(encodeSessionJob('a'));
  await waitFor(() => expect(offered).toEqual(['a', 'a']));
});

test('receives nothing while it is full', async () => {
  room = 0;
  // One receive may be on its way already: it takes one message.
  await send(encodeSessionJob('first'));
  await waitFor(() => expect(offered).toEqual(['first']));
  connected.resolve();
  await send(encodeSessionJob('second'));
  await waitFor(async () => expect(await waiting()).toEqual({ visible: 1, hidden: 0 }));
  room = 1;
  await waitFor(() => expect(offered).toEqual(['first', 'second']));
});

test('leaves what is no job to the dead-letter queue', async () => {
  await send('not a job');
  await waitFor(async () => expect(await waiting()).toEqual({ visible: 0, hidden: 1 }));
  await send(encodeSessionJob('a'));
  await waitFor(() => expect(offered).toEqual(['a']));
});
