import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeAggregate } from '../../../shared/record/kpl.ts';
import { runCommand } from '../command.ts';
import { LiveMeeting } from '../meeting/live-meeting.ts';
import type { Peer, ProofLine } from '../peer.ts';
import { assertSameOrder, parseLines, readUserRecords } from '../user-records.ts';
import { CommandLine, installCommandLine } from './command-line.ts';

const RECIPE = fileURLToPath(
  new URL('../../../docs/examples/consumers/python/read_records.py', import.meta.url),
);
const OWN_STREAM = 'put-by-the-cli';
const RECORDS_OF_MEETING = 20;
/** User records that go back in, in aggregates of so many. */
const PUT_BACK = 60;
const IN_AGGREGATE = 20;

export const awsCliPeer: Peer = {
  name: 'aws-cli',
  needs: ['python', 'debian'],
  isTimeless: true,
  install: installCommandLine,
  async run(work) {
    const aws = await CommandLine.two();
    try {
      await using meeting = await LiveMeeting.recorded(work.scratch, RECORDS_OF_MEETING);
      return await judge(meeting, aws, work.scratch);
    } finally {
      await aws.close();
    }
  },
};

async function judge(
  meeting: LiveMeeting,
  aws: CommandLine,
  scratch: string,
): Promise<readonly ProofLine[]> {
  const { endpoints, streams, table } = meeting.stack.aws;

  const file = join(scratch, 'records.jsonl');
  const read = [
    ...(await recordsOf(aws, endpoints.kinesis, streams.media)),
    ...(await recordsOf(aws, endpoints.kinesis, streams.events)),
  ];
  await writeFile(file, read.map((record) => JSON.stringify(record)).join('\n'));
  // The recipe takes the CLI's output as it is.
  const printed = await runCommand('python3', ['-B', RECIPE, file]);
  const lines = parseLines<{ kind: string; bytes?: number }>(printed.stdout);
  const frames = lines.filter(({ kind }) => kind === 'frame');
  const media = await readUserRecords(meeting.kinesis, streams.media);
  const events = await readUserRecords(meeting.kinesis, streams.events);
  assert.equal(frames.length, media.frames, 'frames');
  const bytes = (records: readonly { data: Buffer }[]) =>
    records.reduce((sum, { data }) => sum + data.length, 0);
  const readBytes = read.reduce((sum, { Data }) => sum + Buffer.from(Data, 'base64').length, 0);
  assert.ok(readBytes >= bytes(media.records) + bytes(events.records), 'bytes');

  const put = media.records.slice(0, PUT_BACK);
  const call = (...args: string[]) => aws.call(endpoints.kinesis, 'kinesis', ...args);
  await call('create-stream', '--stream-name', OWN_STREAM, '--shard-count', '1');
  await call('wait', 'stream-exists', '--stream-name', OWN_STREAM);
  for (let at = 0; at < put.length; at += IN_AGGREGATE) {
    const part = put.slice(at, at + IN_AGGREGATE);
    const key = part[0]?.partitionKey ?? '';
    const sameKey = part.map(({ data }) => data);
    const aggregate = join(scratch, 'aggregate');
    await writeFile(aggregate, encodeAggregate(key, sameKey));
    const record = ['--partition-key', key, '--data', `fileb://${aggregate}`];
    await call('put-record', '--stream-name', OWN_STREAM, ...record);
  }
  const back = await readUserRecords(meeting.kinesis, OWN_STREAM);
  const keys = put.map((record, index) => {
    const { partitionKey = '' } = put[index - (index % IN_AGGREGATE)] ?? {};
    return { ...record, partitionKey };
  });
  assertSameOrder(keys, back.records);

  const { Items } = await aws.call(
    endpoints.dynamodb,
    ...['dynamodb', 'scan', '--table-name', table],
  );
  const row = Items.find(({ pk }: { pk: { S: string } }) => pk.S.endsWith(meeting.rtmsStreamId));
  assert.ok(row?.endedAt?.N !== undefined || row?.endedReason?.N !== undefined, 'an ended row');

  const version = await aws.version();
  const software = 'AWS CLI 2 (Debian package)';
  return [
    {
      software,
      version,
      what: 'reads both Kinesis streams; the Python recipe decodes its output as it is',
      figures: `${read.length} Kinesis records, ${frames.length} frames and ${lines.length - frames.length} events, as many as the kit's`,
    },
    {
      software,
      version,
      what: 'creates a Kinesis stream and puts aggregates of ours; the kit reads them; the row of the session is found ended',
      figures: `${back.aggregates} aggregates, ${back.records.length} records, all equal`,
    },
  ];
}

interface CliRecord {
  readonly Data: string;
}

/** Every record, with the page iterators that the CLI prints. */
async function recordsOf(
  aws: CommandLine,
  endpoint: string,
  streamName: string,
): Promise<CliRecord[]> {
  const call = (...args: string[]) => aws.call(endpoint, 'kinesis', ...args);
  const records: CliRecord[] = [];
  const { Shards } = await call('list-shards', '--stream-name', streamName);
  for (const { ShardId } of Shards) {
    const from = ['--shard-id', ShardId, '--shard-iterator-type', 'TRIM_HORIZON'];
    let { ShardIterator: iterator } = await call(
      'get-shard-iterator',
      ...['--stream-name', streamName, ...from],
    );
    for (;;) {
      const page = await call('get-records', '--shard-iterator', iterator);
      records.push(...page.Records);
      if (page.Records.length === 0 && page.MillisBehindLatest === 0) break;
      iterator = page.NextShardIterator;
    }
  }
  return records;
}
