import { expect, test, vi } from 'vitest';
import {
  ADA,
  type SimulatedStream,
  simulateStream,
} from '../../test/support/sdk/simulated-stream.ts';
import { waitFor } from '../../test/support/wait.ts';
import type { Client } from './index.ts';

/** Writes down in one list what several clients are told. */
function watch(client: Client, name: string, log: string[]): void {
  client.onJoinConfirm((reason) => log.push(`${name} confirmed ${reason}`));
  client.onLeave((...args) => log.push(`${name} left ${args.length}`));
  client.onAudioData(() => log.push(`${name} audio`));
}

/** Two clients of one stream that are watched, of which the old one has joined. */
async function joinOld(stream: SimulatedStream) {
  const log: string[] = [];
  const [old, next] = [stream.client(), stream.client()];
  watch(old, 'old', log);
  watch(next, 'next', log);
  old.join(stream.payload());
  await waitFor(() => expect(log).toContain('old confirmed 0'));
  return { old, next, log };
}

test('a new client may join right after the old one was told to leave', async () => {
  await using stream = await simulateStream();
  const { old, next, log } = await joinOld(stream);
  void old.leave();
  expect(next.join(stream.payload())).toBe(true);
  expect(next.streamId()).toBe(stream.rtmsStreamId);
  await waitFor(() => expect(log).toContain('next confirmed 0'));
  await waitFor(() => {
    stream.clock.advance(20);
    expect(log).toContain('next audio');
  });
  expect(log.indexOf('old left 1')).toBeLessThan(log.indexOf('next confirmed 0'));
  expect(log.lastIndexOf('old left 1')).toBe(log.indexOf('old left 1'));
});

test('a client may join again right after it has left', async () => {
  await using stream = await simulateStream();
  const log: string[] = [];
  const client = stream.client();
  watch(client, 'it', log);
  client.join(stream.payload());
  await waitFor(() => expect(log).toEqual(['it confirmed 0']));
  void client.leave();
  expect(client.join(stream.payload())).toBe(true);
  await waitFor(() => expect(log.filter((line) => line === 'it confirmed 0')).toHaveLength(2));
  expect(log).toEqual(['it confirmed 0', 'it left 1', 'it confirmed 0']);
  // Zoom sends nothing before its media sockets are up, so time goes on until it does.
  await waitFor(() => {
    stream.clock.advance(100);
    expect(log.at(-1)).toBe('it audio');
  });
});

test('a client may join again inside onLeave, also when onLeave waits for the new join', async () => {
  await using stream = await simulateStream();
  const [old, next] = [stream.client(), stream.client()];
  const confirmed = new Promise((resolve) => next.onJoinConfirm(resolve));
  old.onLeave(async () => {
    next.join(stream.payload());
    await confirmed;
  });
  await stream.join(old);
  void old.leave();
  expect(await confirmed).toBe(0);
});

test('a new client joins although the connection of the old one is dead', async () => {
  await using stream = await simulateStream();
  const { old, next, log } = await joinOld(stream);
  // Nothing comes any more, and no close is answered.
  stream.act({ do: 'cut_media', how: 'freeze' });
  stream.act({ do: 'cut_signaling', how: 'freeze' });
  void old.leave();
  next.join(stream.payload());
  await waitFor(() => {
    // Zoom drops the silent connection after three keep-alives; until then it calls the new one a duplicate.
    stream.clock.advance(5_000);
    expect(log).toContain('next confirmed 0');
  });
  expect(log.indexOf('old left 1')).toBeLessThan(log.indexOf('next confirmed 0'));
}, 90_000);

test('a new join does not wait for a running callback of the old client', async () => {
  await using stream = await simulateStream();
  const [old, next] = [stream.client(), stream.client()];
  const stuck = Promise.withResolvers<void>();
  const at = vi.fn(() => stuck.promise);
  const order: string[] = [];
  old.onAudioData(at);
  old.onLeave(() => order.push('left'));
  await stream.join(old);
  stream.clock.advance(100);
  await waitFor(() => expect(at).toHaveBeenCalled());
  void old.leave();
  const startedAt = performance.now();
  next.onLeave(() => order.push('next left'));
  const confirmed = new Promise((resolve) => next.onJoinConfirm(resolve));
  next.join(stream.payload());
  expect(await confirmed).toBe(0);
  expect(order).toEqual(['left']);
  // A callback at work is waited for up to 10 s otherwise.
  expect(performance.now() - startedAt).toBeLessThan(8_000);
  stuck.resolve();
});

test.for(['audio', 'transcript', 'chat', 'event'] as const)(
  'no %s callback follows leave, not even for what waits',
  async (kind) => {
    await using stream = await simulateStream();
    const client = stream.client();
    const seen = vi.fn(() => new Promise<void>((resolve) => setTimeout(resolve, 1)));
    const left = new Promise((resolve) => client.onLeave(resolve));
    client.onAudioData(kind === 'audio' ? seen : () => {});
    if (kind === 'transcript') client.onTranscriptData(seen);
    if (kind === 'chat') client.onChatData(seen);
    if (kind === 'event') client.onEventEx(seen);
    await stream.join(client);
    for (let turn = 0; turn < 20; turn += 1) {
      stream.clock.advance(20);
      stream.act({ do: 'transcript', userId: ADA.userId, text: 'x' });
      stream.act({ do: 'chat', userId: ADA.userId, text: 'x' });
      stream.act({ do: 'active_speaker', userId: ADA.userId });
    }
    await waitFor(() => expect(seen).toHaveBeenCalled());
    void client.leave();
    const calls = seen.mock.calls.length;
    expect(await left).toBe(0);
    expect(seen.mock.calls.length).toBe(calls);
  },
);

test('no callback follows a leave from inside a callback', async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  let calls = 0;
  const left = new Promise((resolve) => client.onLeave(resolve));
  client.onAudioData(() => {
    calls += 1;
    void client.leave();
  });
  await stream.join(client);
  stream.clock.advance(500);
  await left;
  expect(calls).toBe(1);
});

test('a client that leaves while its join waits does not join', async () => {
  await using stream = await simulateStream();
  const [old, next] = [stream.client(), stream.client()];
  const onJoinConfirm = vi.fn();
  await stream.join(old);
  const left = old.leave();
  next.onJoinConfirm(onJoinConfirm);
  const nextLeft = new Promise((resolve) => next.onLeave(resolve));
  next.join(stream.payload());
  void next.leave();
  await nextLeft;
  expect(await left).toBe(true);
  expect(onJoinConfirm).not.toHaveBeenCalled();
  await expect.poll(() => stream.simulator.streams()[0]?.isConnected).toBe(false);
});

test('subscriptions made while a join waits are kept', async () => {
  await using stream = await simulateStream();
  const [old, next] = [stream.client(), stream.client()];
  await stream.join(old);
  void old.leave();
  next.setVideoParams({ dataOpt: 4 });
  next.onVideoData(() => {});
  const subscribed = new Promise((resolve) => next.onVideoSubscribed(resolve));
  next.join(stream.payload());
  expect(next.subscribeVideo(ADA.userId, true)).toBe(true);
  expect(next.unsubscribeEvent([2])).toBe(true);
  expect(await subscribed).toBe(ADA.userId);
});
