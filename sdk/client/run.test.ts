import { expect, test, vi } from 'vitest';
import { simulateStream } from '../../test/support/sdk/simulated-stream.ts';
import { onWebhookEvent, run, stop } from './index.ts';

test('run with stopOnEmpty returns at once when there is no client', async () => {
  await run({ stopOnEmpty: true });
});

test('run with stopOnEmpty returns when the last client has left and its callbacks have finished', async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  const done: string[] = [];
  client.onLeave(async () => {
    await new Promise(setImmediate);
    done.push('leave');
  });
  await stream.join(client);
  const running = run({ stopOnEmpty: true }).then(() => done.push('run'));
  stream.act({ do: 'stop', reason: 6 });
  await running;
  expect(done).toEqual(['leave', 'run']);
});

test('stop makes run leave every stream and close the webhook servers', async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  await stream.join(client);
  const server = onWebhookEvent(vi.fn(), { port: 0 });
  const { port } = await server.ready;
  const running = run();
  stop();
  await running;
  expect(client.media).toEqual({});
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  stop();
});

test.for(['SIGINT', 'SIGTERM'] as const)('%s makes run leave every stream', async (signal) => {
  await using stream = await simulateStream();
  const client = stream.client();
  const onLeave = vi.fn();
  client.onLeave(onLeave);
  await stream.join(client);
  const running = run();
  process.emit(signal);
  await running;
  expect(onLeave).toHaveBeenCalledOnce();
});

test('run throws when it is running already', async () => {
  const running = run();
  await expect(run()).rejects.toThrow('[rtms/invalid-state]');
  stop();
  await running;
});
