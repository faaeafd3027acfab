import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { DescribeStreamSummaryCommand } from '@aws-sdk/client-kinesis';
import { OWNER_INDEX } from '../../shared/session-table/session-row.ts';
import type { Context } from '../command.ts';
import { ask } from '../deployment/aws.ts';
import { required } from '../deployment/deployment.ts';
import { JobQueues } from '../deployment/job-queues.ts';
import { attempt, type Check } from './check.ts';

const REDEPLOY = 'Deploy the stack again (npx cdk deploy), or correct the name.';

/** Checks credentials, table, queue, dead letters and both streams. */
export async function checkAws(context: Context): Promise<readonly Check[]> {
  const checks = await Promise.all([
    attempt('credentials', 'Run `aws sso login`, set AWS_PROFILE or give --profile.', () =>
      checkCredentials(context),
    ),
    attempt('session table', REDEPLOY, () => checkTable(context)),
    attempt('job queue', REDEPLOY, () => checkQueues(context)),
    attempt('media stream', REDEPLOY, () => checkStream(context, 'mediaStream', 'media stream')),
    attempt('events stream', REDEPLOY, () => checkStream(context, 'eventsStream', 'events stream')),
  ]);
  return checks.flat();
}

async function checkCredentials({ aws, deployment }: Context): Promise<Check> {
  const { config } = aws.dynamodb;
  const { accessKeyId } = await ask('AWS credentials', () => config.credentials());
  const region = await ask('AWS Region', () => config.region());
  const profile = deployment.profile === undefined ? '' : `, profile ${deployment.profile}`;
  // The last four characters tell two keys apart and reveal neither.
  return ok('credentials', `key ending in ${accessKeyId.slice(-4)}, ${region}${profile}`);
}

async function checkTable({ aws, deployment }: Context): Promise<Check> {
  const name = required(deployment, 'table');
  const { Table } = await ask(`session table ${name}`, () =>
    aws.dynamodb.send(new DescribeTableCommand({ TableName: name })),
  );
  const key = Table?.KeySchema?.map(({ AttributeName }) => AttributeName).join(', ');
  const index = Table?.GlobalSecondaryIndexes?.find(({ IndexName }) => IndexName === OWNER_INDEX);
  const fix = 'Is this the table of this project? Take the name from the stack, and deploy again.';
  if (key !== 'pk') return failed('session table', `${name} has the key ${key}, not pk`, fix);
  if (!index) return failed('session table', `${name} has no index ${OWNER_INDEX}`, fix);
  const states = `${Table?.TableStatus}, index ${index.IndexStatus ?? 'ACTIVE'}`;
  const isReady = ['ACTIVE', 'UPDATING'].includes(Table?.TableStatus ?? '');
  return isReady
    ? ok('session table', `${name}: ${states}`)
    : failed('session table', `${name}: ${states}`, 'Wait until it is ACTIVE.');
}

async function checkQueues({ aws, deployment }: Context): Promise<readonly Check[]> {
  const queues = new JobQueues(aws.sqs, required(deployment, 'queueUrl'));
  const { waiting, inFlight, deadLetterQueueUrl, maxReceiveCount } = await queues.state();
  const found = `${waiting} waiting, ${inFlight} in work`;
  if (deadLetterQueueUrl === undefined) {
    return [failed('job queue', `${found}, no dead-letter queue`, REDEPLOY)];
  }
  const jobs: Check =
    waiting === 0
      ? ok('job queue', `${found}, to dead letters after ${maxReceiveCount}`)
      : {
          name: 'job queue',
          status: 'warning',
          found,
          fix: 'Runners take jobs within a second. If it stays: rtms sessions, and *Meetings waiting* in docs/runbook.md.',
        };
  const dead = await queues.state(deadLetterQueueUrl);
  const deadLetters: Check =
    dead.waiting + dead.inFlight === 0
      ? ok('dead letters', 'none')
      : {
          name: 'dead letters',
          status: 'warning',
          found: `${dead.waiting + dead.inFlight}`,
          fix: 'rtms redrive says why they are there; rtms redrive --send sends the useful ones again.',
        };
  return [jobs, deadLetters];
}

async function checkStream(
  { aws, deployment }: Context,
  which: 'mediaStream' | 'eventsStream',
  name: string,
): Promise<Check> {
  const streamName = required(deployment, which);
  const { StreamDescriptionSummary: summary } = await ask(`stream ${streamName}`, () =>
    aws.kinesis.send(new DescribeStreamSummaryCommand({ StreamName: streamName })),
  );
  const { StreamStatus, OpenShardCount, RetentionPeriodHours, StreamModeDetails } = summary ?? {};
  const facts = [
    StreamStatus,
    StreamModeDetails?.StreamMode?.toLowerCase().replace('_', '-'),
    `${OpenShardCount} shards`,
    `kept ${RetentionPeriodHours} h`,
  ];
  const found = `${streamName}: ${facts.filter((fact) => fact !== undefined).join(', ')}`;
  const isReady = ['ACTIVE', 'UPDATING'].includes(StreamStatus ?? '');
  return isReady ? ok(name, found) : failed(name, found, 'Wait until it is ACTIVE.');
}

function ok(name: string, found: string): Check {
  return { name, status: 'ok', found };
}

function failed(name: string, found: string, fix: string): Check {
  return { name, status: 'failed', found, fix };
}
