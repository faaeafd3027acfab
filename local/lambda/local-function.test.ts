import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Order } from '../../test/support/lambda-handler.ts';
import { waitFor } from '../../test/support/wait.ts';
import { LocalFunction, Throttled } from './local-function.ts';

let local: LocalFunction;
beforeAll(() => {
  local = new LocalFunction({
    entry: 'test/support/lambda-handler.ts',
    environment: {},
    timeoutMs: 3_000,
    memoryMib: 1_024,
    tmpMib: 2,
    concurrency: 2,
    onLine: () => {},
  });
});
afterAll(() => local.close());

const invoke = (order: Order) => local.invoke(order) as Promise<{ calls: number; pid: number }>;

test('an execution takes one invocation after the other, and is frozen in between', async () => {
  const first = await invoke({});
  expect(local.frozen).toEqual([first.pid]);
  if (process.platform === 'linux') {
    const stat = () => readFileSync(`/proc/${first.pid}/stat`, 'utf8');
    await waitFor(() => expect(stat()).toMatch(/\) T /));
  }
  expect(await invoke({})).toEqual({ calls: 2, pid: first.pid });
  const both = [invoke({ waitMs: 200 }), invoke({ waitMs: 200 })];
  await expect(invoke({})).rejects.toThrow(Throttled);
  const pids = (await Promise.all(both)).map(({ pid }) => pid);
  expect(new Set(pids).size).toBe(2);
});

test('an execution may write nowhere else', async () => {
  await expect(invoke({ writeMib: 1, directory: tmpdir() })).rejects.toThrow('has been restricted');
});

// Side by side: both wait for a limit, each in one of the two executions.
test.concurrent('an execution that writes more than /tmp holds is killed, one that writes less is not', async () => {
  const { pid } = await invoke({ writeMib: 1, waitMs: 1_200 });
  await expect(invoke({ writeMib: 3, waitMs: 2_500 })).rejects.toThrow(
    'wrote more than 2 MB to /tmp',
  );
  expect(local.frozen).not.toContain(pid);
});

test.concurrent('an invocation that takes too long is killed', async () => {
  await expect(invoke({ waitMs: 10_000 })).rejects.toThrow('timed out after 3000 ms');
});
