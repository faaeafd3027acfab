import assert from 'node:assert/strict';
import {
  DecreaseStreamRetentionPeriodCommand,
  DeleteStreamCommand,
  DescribeLimitsCommand,
  DescribeStreamCommand,
  IncreaseStreamRetentionPeriodCommand,
  ListStreamsCommand,
  UpdateShardCountCommand,
  UpdateStreamModeCommand,
} from '@aws-sdk/client-kinesis';
import {
  active,
  assertEvenRanges,
  type ContractCase,
  create,
  put,
  read,
  rejects,
  summary,
} from './contract-case.ts';

export const STREAM_CASES: readonly ContractCase[] = [
  {
    title: 'creates a provisioned stream whose shards divide all hash keys evenly',
    async run(client, name) {
      await create(client, name, { ShardCount: 4 });
      const { StreamDescription: found } = await client.send(
        new DescribeStreamCommand({ StreamName: name }),
      );
      assert.equal(found?.StreamModeDetails?.StreamMode, 'PROVISIONED');
      assert.equal(found?.RetentionPeriodHours, 24);
      assert.equal(found?.HasMoreShards, false);
      assertEvenRanges(found?.Shards, 4);
      const described = await summary(client, name);
      assert.equal(described.OpenShardCount, 4);
      assert.equal(described.StreamARN, found?.StreamARN);
    },
  },
  {
    title: 'creates an on-demand stream of four shards',
    async run(client, name) {
      await create(client, name, { StreamModeDetails: { StreamMode: 'ON_DEMAND' } });
      const described = await summary(client, name);
      assert.equal(described.StreamModeDetails?.StreamMode, 'ON_DEMAND');
      assert.equal(described.OpenShardCount, 4);
    },
  },
  {
    title: 'shows the record size limit in the summary',
    async run(client, name) {
      await create(client, name, { ShardCount: 1, MaxRecordSizeInKiB: 2048 });
      assert.equal((await summary(client, name)).MaxRecordSizeInKiB, 2048);
    },
  },
  {
    title: 'shows the record distribution strategy in the summary',
    peerDeviates: 'knows no RecordDistributionStrategy (new in 2026)',
    async run(client, name) {
      const onDemand = { StreamModeDetails: { StreamMode: 'ON_DEMAND' } } as const;
      await create(client, name, { ...onDemand, RecordDistributionStrategy: 'AUTO' });
      assert.equal((await summary(client, name)).RecordDistributionStrategy, 'AUTO');
    },
  },
  {
    title: 'answers ResourceNotFoundException about a stream that does not exist',
    async run(client, name) {
      await rejects(summary(client, name), 'ResourceNotFoundException');
      await rejects(put(client, name, 'a'), 'ResourceNotFoundException');
      await rejects(read(client, name), 'ResourceNotFoundException');
    },
  },
  {
    title: 'answers ResourceInUseException when the stream exists',
    async run(client, name) {
      await create(client, name);
      await rejects(create(client, name), 'ResourceInUseException');
    },
  },
  {
    title: 'answers ResourceNotFoundException after a stream was deleted',
    async run(client, name) {
      await create(client, name);
      await client.send(new DeleteStreamCommand({ StreamName: name }));
      const gone = async () => {
        for (;;) await summary(client, name);
      };
      await rejects(gone(), 'ResourceNotFoundException');
    },
  },
  {
    title: 'lists streams and counts shards',
    async run(client, name) {
      await create(client, name);
      const { StreamNames } = await client.send(new ListStreamsCommand({ Limit: 1000 }));
      assert(StreamNames?.includes(name));
      const limits = await client.send(new DescribeLimitsCommand({}));
      assert((limits.OpenShardCount ?? 0) >= 1);
      assert((limits.ShardLimit ?? 0) >= (limits.OpenShardCount ?? 0));
    },
  },
  {
    title: 'switches to the on-demand capacity mode',
    async run(client, name) {
      await create(client, name);
      const { StreamARN } = await summary(client, name);
      await client.send(
        new UpdateStreamModeCommand({ StreamARN, StreamModeDetails: { StreamMode: 'ON_DEMAND' } }),
      );
      await active(client, name);
      assert.equal((await summary(client, name)).StreamModeDetails?.StreamMode, 'ON_DEMAND');
    },
  },
  {
    title: 'reshards in provisioned mode only',
    peerDeviates: 'reshards on-demand streams',
    async run(client, name) {
      await create(client, name, { StreamModeDetails: { StreamMode: 'ON_DEMAND' } });
      await rejects(
        client.send(
          new UpdateShardCountCommand({
            StreamName: name,
            TargetShardCount: 2,
            ScalingType: 'UNIFORM_SCALING',
          }),
        ),
        'ValidationException',
      );
    },
  },
  {
    title: 'changes the retention within 24 to 8760 hours',
    async run(client, name) {
      await create(client, name);
      const retention = (hours: number) => ({ StreamName: name, RetentionPeriodHours: hours });
      const increase = (hours: number) =>
        client.send(new IncreaseStreamRetentionPeriodCommand(retention(hours)));
      const decrease = (hours: number) =>
        client.send(new DecreaseStreamRetentionPeriodCommand(retention(hours)));
      await increase(48);
      await active(client, name);
      assert.equal((await summary(client, name)).RetentionPeriodHours, 48);
      await rejects(increase(24), 'InvalidArgumentException');
      await decrease(24);
      await active(client, name);
      await assert.rejects(decrease(23), /InvalidArgument|Validation/);
    },
  },
];
