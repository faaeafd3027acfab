import { awsPrograms, startMoto } from '../emulators.ts';
import { buildJava } from '../java/java.ts';
import { expectInOrder, expectSame, expectSent, identityOf } from '../meeting/expect-records.ts';
import { LiveMeeting } from '../meeting/live-meeting.ts';
import { compareWithSent } from '../meeting/sent-payloads.ts';
import { mediaRecordsOf, type SeenRecord } from '../meeting/written-records.ts';
import type { Peer, PeerWork, ProofLine } from '../peer.ts';
import { GROUP, KclWorker } from './consumer-group.ts';
import { leaseTableReady } from './dynamodb.ts';

/** A consumer group of two KCL workers reads a meeting, in which a runner and a worker are killed and shards are split and merged. */
export const kclPeer: Peer = {
  name: 'kcl',
  needs: ['java', 'maven', 'python'],
  install: async () => {
    await awsPrograms();
    await buildJava();
  },
  run,
};

async function run({ scratch, say }: PeerWork): Promise<readonly ProofLine[]> {
  const java = await buildJava();
  // dynalite 4.0.0 is not enough: see the last row below.
  const table = await startMoto();
  await using meeting = await LiveMeeting.start(scratch);
  const urls = [meeting.stack.aws.endpoints.kinesis, table.url];
  const options = { java, folder: scratch, urls, streamName: meeting.streamName };
  const dying = new KclWorker('dying', 'polling', options);
  await leaseTableReady(table.url, GROUP);
  const living = new KclWorker('living', 'fan-out', options);
  for (const worker of [dying, living]) {
    await worker.until('a shard', () => worker.heldShards.length > 0);
  }
  say(`both workers read: ${dying.heldShards.length} and ${living.heldShards.length} shards`);

  await meeting.killOwner();
  say('a runner was killed, and another one writes');
  const key = await meeting.firstKey();
  await meeting.split(key);
  await meeting.writtenMore(100);
  await meeting.merge(key);
  await meeting.writtenMore(100);
  const stepsBefore = living.steps.length;
  const held = await dying.until('an open shard', () => {
    const shards = dying.heldShards;
    return shards.length > 0 && shards;
  });
  await dying.kill();
  say(`the worker of ${held.join(', ')} was killed`);
  const takenOver = await living.until(`a shard of ${dying.name}`, () => {
    const steps = living.steps.slice(stepsBefore);
    return held.find((shard) => steps.some((step) => step.startsWith(`initialize ${shard} `)));
  });
  say(`${takenOver} was taken over`);
  await meeting.writtenMore(100);
  await meeting.end();

  const written = mediaRecordsOf(await meeting.stored());
  const wanted = new Set(written.map(({ seen }) => identityOf(seen)));
  say(`the meeting has ended, with ${wanted.size} records`);
  const seen = () => [...dying.seen(), ...living.seen()];
  await living.until('all records', () => new Set(seen().map(identityOf)).size >= wanted.size);
  await living.leave();
  table.stop();

  const repeats = expectSame(seen(), written);
  for (const worker of [dying, living]) expectInOrder(worker.seen());
  const compared = await compareWithSent(meeting.sentFolder, written);
  expectSent(compared);

  const frames = compared.reduce((sum, source) => sum + source.frames, 0);
  const bytes = compared.reduce((sum, source) => sum + source.bytes, 0);
  const lacks = compared.flatMap((source) => source.lacks);
  const ended = [...dying.steps, ...living.steps].filter((step) => step.startsWith('shardEnded'));
  const shardsOf = (records: readonly SeenRecord[]) =>
    new Set(records.map(({ shardId }) => shardId)).size;
  const through = shardsOf(seen().filter(({ partitionKey }) => partitionKey === key));
  if (through !== 3) throw new Error(`the key went through ${through} shards instead of 3`);
  const aggregates = new Set(
    seen()
      .filter(({ subSequenceNumber }) => subSequenceNumber > 0)
      .map(({ partitionKey, sequenceNumber }) => `${partitionKey}/${sequenceNumber}`),
  ).size;
  const { SubscribeToShard: pushed } = meeting.stack.aws.kinesis.stats().calls;
  const subscriptions = pushed?.['ok'] ?? 0;
  if (subscriptions === 0) throw new Error('no subscription was asked for');
  return [
    {
      software: 'Kinesis Client Library for Java (Maven), with the DynamoDB of moto (PyPI)',
      version: `${living.version}, moto ${table.version}`,
      what:
        'Two workers, one polling and one with enhanced fan-out, read every frame of a meeting, each field and payload as our reader does and as the simulator sent it, ' +
        'through a killed runner, a killed worker, a split and a merge; KCL took our aggregates apart, protobuf-java read our schema.',
      figures:
        `${frames} frames, ${(bytes / 1e6).toFixed(1)} MB, from ${shardsOf(seen())} shards (${ended.length} closed, read to their end), one key through ${through} of them; ` +
        `${aggregates} aggregates; ${subscriptions} subscriptions; ${repeats} records read twice after the take-over; ` +
        `sent to the killed runner and not written: ${lacks.reduce((sum, lack) => sum + lack, 0)} B`,
    },
    {
      software: 'dynalite (npm)',
      version: '4.0.0',
      what: 'The lease table of KCL 3 on the DynamoDB that the other tests use.',
      figures:
        'It refuses the index that KCL adds to a table without provisioned throughput, and tells of an index only when it is ready; KCL 3.5.1 ends with both.',
      isProven: false,
    },
  ];
}
