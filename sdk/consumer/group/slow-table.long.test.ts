import { CreateStreamCommand, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { expect, test, vi } from 'vitest';
import { FaultProxy } from '../../../local/aws/fault-proxy.ts';
import { startKinesisServer } from '../../../local/kinesis/server.ts';
import { startGroupTables } from '../../../test/support/group-table.ts';
import { connect } from '../../../test/support/kinesis-client.ts';
import { mediaRecord, packed } from '../../../test/support/test-records.ts';
import { startThrottledTable, type ThrottledTable } from '../../../test/support/throttled-table.ts';
import { waitFor } from '../../../test/support/wait.ts';
import { consumerGroup } from './consumer-group.ts';

/** A table that cannot be used for longer than the fence. `end` makes it well again. */
const OUTAGES: readonly [string, (table: Tables) => { url: string; begin(): void; end(): void }][] =
  [
    [
      'hangs',
      ({ proxy }) => ({
        url: proxy.url,
        begin: () => {
          proxy.mode = 'stall';
        },
        end: () => {
          proxy.mode = 'pass';
        },
      }),
    ],
    ...(['ProvisionedThroughputExceededException', 'ThrottlingException'] as const).map(
      (error): (typeof OUTAGES)[number] => [
        `is throttled with ${error}`,
        ({ throttled }) => ({
          url: throttled.url,
          begin: () => throttled.throttle(1, error),
          end: () => throttled.throttle(0),
        }),
      ],
    ),
  ];

interface Tables {
  readonly proxy: FaultProxy;
  readonly throttled: ThrottledTable;
}

test.each(OUTAGES)(
  'a table that %s for longer than the fence pauses a worker, and nothing is lost',
  async (_how, outageOf) => {
    await using closing = new AsyncDisposableStack();
    const server = await startKinesisServer();
    closing.defer(() => server.close());
    const tables = closing.use(await startGroupTables());
    const proxy = await FaultProxy.start(0, Number(new URL(tables.dynamodb.endpoint).port));
    closing.defer(() => proxy.close());
    const throttled = closing.use(await startThrottledTable(tables.dynamodb.endpoint));
    const outage = outageOf({ proxy, throttled });
    const client = connect(server.url);
    closing.defer(() => client.destroy());
    await client.send(new CreateStreamCommand({ StreamName: 'slow', ShardCount: 1 }));
    const put = async (sequence: number) => {
      const { data: Data } = packed([mediaRecord({ sequence })]);
      const Records = [{ Data, PartitionKey: 'stream-1' }];
      await client.send(new PutRecordsCommand({ StreamName: 'slow', Records }));
    };
    const seen: number[] = [];
    const fences = new Set<number>();
    const onRetry = vi.fn();
    const group = consumerGroup({
      client,
      streamName: 'slow',
      table: await tables.create(),
      workerId: 'one',
      dynamodb: { ...tables.dynamodb, endpoint: outage.url },
      pollMs: 210,
      onRetry,
      onFrames(frames, { fence }) {
        seen.push(...frames.map(({ sequence }) => sequence));
        fences.add(fence);
      },
    });
    closing.defer(() => group.stop());
    await put(1);
    await waitFor(() => expect(seen).toEqual([1]));
    outage.begin();
    await put(2);
    // The lease lapses: the worker holds nothing, and hands nothing out.
    await waitFor(() => expect(group.status().shards).toEqual([]), 30_000);
    const handedOut = seen.length;
    await put(3);
    outage.end();
    await waitFor(() => expect(seen.at(-1)).toBe(3), 30_000);
    expect(handedOut).toBeLessThanOrEqual(2);
    expect(new Set(seen)).toEqual(new Set([1, 2, 3]));
    expect(fences.size).toBe(2);
    expect(onRetry).toHaveBeenCalled();
  },
);
