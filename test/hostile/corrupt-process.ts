import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KinesisClient, PutRecordCommand } from '@aws-sdk/client-kinesis';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { JOB_ATTACK, RECORD_ATTACKS, ROW_ATTACKS } from './corrupt-attacks.ts';
import type { CorruptTargets } from './corrupt-targets.ts';
import { mutateBytes, mutateJson } from './mutate.ts';
import { paced } from './pace.ts';
import { randomFrom } from './random.ts';

/**
 * Writes rows and records that none of our processes would write, as a process of its own:
 * `node corrupt-process.ts <targets as JSON> <attack>` or `fuzz <seed> <seconds>`.
 */

const [targetText = '{}', name = '', seed = '1', seconds = '5'] = process.argv.slice(2);
const targets = JSON.parse(targetText) as CorruptTargets;
const { region, credentials, endpoints } = targets;
const table = DynamoDBDocumentClient.from(
  new DynamoDBClient({ region, credentials, endpoint: endpoints.dynamodb }),
);
const kinesis = new KinesisClient({ region, credentials, endpoint: endpoints.kinesis });
const sqs = new SQSClient({ region, credentials, endpoint: endpoints.sqs });
let written = 0;

/** @returns quietly when the table itself refuses what no key can be */
async function putRow(fields: Readonly<Record<string, unknown>>): Promise<void> {
  written += 1;
  const rtmsStreamId = `row-${process.pid}-${written}`;
  const Item = { ...targets.row, pk: `SESSION#${rtmsStreamId}`, rtmsStreamId, ...fields };
  await table.send(new PutCommand({ TableName: targets.table, Item })).catch(() => {});
  const MessageBody = JSON.stringify({ rtmsStreamId });
  await sqs.send(new SendMessageCommand({ QueueUrl: targets.queueUrl, MessageBody }));
}

async function putRecord(stream: 'media' | 'events', data: Uint8Array): Promise<void> {
  written += 1;
  const StreamName = targets.streams[stream];
  await kinesis.send(
    new PutRecordCommand({ StreamName, PartitionKey: `bad-${written % 7}`, Data: data }),
  );
}

/** Rows a second, each with its job, and the records of one attack beside it. */
const ROWS_PER_SECOND = 50;

async function fuzz(): Promise<void> {
  const random = randomFrom(Number(seed));
  await paced(Number(seconds), ROWS_PER_SECOND, async () => {
    await putRow(mutateJson(targets.row, random) as Record<string, unknown>);
    const attack = random.pick(RECORD_ATTACKS);
    for (const data of attack.data) await putRecord(attack.stream, mutateBytes(data, random));
  });
}

for (const row of ROW_ATTACKS.filter((each) => each.name === name)) await putRow(row.fields);
for (const { stream, data } of RECORD_ATTACKS.filter((each) => each.name === name)) {
  for (const each of data) await putRecord(stream, each);
}
if (name === JOB_ATTACK.name) {
  for (const MessageBody of JOB_ATTACK.bodies) {
    written += 1;
    await sqs.send(new SendMessageCommand({ QueueUrl: targets.queueUrl, MessageBody }));
  }
}
if (name === 'fuzz') await fuzz();
process.stdout.write(`${JSON.stringify({ event: 'corrupt_done', written })}\n`);
