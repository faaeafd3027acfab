import { ListShardsCommand, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { expect, test } from 'vitest';
import { runAction } from '../console/server/actions.ts';
import { startLocalStreams } from '../test/support/local-streams.ts';
import { chaosActions } from './chaos-actions.ts';
import { RunnerFleet } from './runner-fleet.ts';

test('Kinesis is throttled, stopped and mended for writers, and can be read throughout', async () => {
  await using local = await startLocalStreams();
  const StreamName = await local.create();
  const actions = chaosActions(new RunnerFleet(async () => ({})), local.server);
  const act = (action: string, target = '') => runAction(actions, { action, target });
  const put = async () => {
    const Records = Array.from({ length: 50 }, () => ({
      Data: Buffer.from('x'),
      PartitionKey: 'k',
    }));
    const answer = await local.client.send(new PutRecordsCommand({ StreamName, Records }));
    return answer.FailedRecordCount;
  };
  const isReadable = async () =>
    (await local.client.send(new ListShardsCommand({ StreamName }))).Shards?.length === 1;

  expect(await put()).toBe(0);
  await act('throttle-kinesis');
  expect(await put()).toBeGreaterThan(10);
  expect(await isReadable()).toBe(true);
  await act('stop-kinesis');
  await expect(put()).rejects.toThrow();
  expect(await isReadable()).toBe(true);
  expect(await act('mend-kinesis')).toContain('as usual');
  expect(await put()).toBe(0);
});

test('a runner that is not there any more is refused in words', async () => {
  await using local = await startLocalStreams();
  const actions = chaosActions(new RunnerFleet(async () => ({})), local.server);
  for (const action of ['kill', 'freeze', 'thaw', 'drain']) {
    await expect(runAction(actions, { action, target: 'runner-9' })).rejects.toMatchObject({
      code: 'cli/refused',
    });
  }
});
