import { expect, test, vi } from 'vitest';
import { simulateStream } from '../../test/support/sdk/simulated-stream.ts';
import { waitFor } from '../../test/support/wait.ts';

test('a client reconnects by itself when Zoom drops the signaling connection, and reports it', async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  const onInterrupted = vi.fn();
  const onReconnected = vi.fn();
  const onAudioData = vi.fn();
  client.onInterrupted(onInterrupted);
  client.onReconnected(onReconnected);
  client.onAudioData(onAudioData);
  await stream.join(client);
  stream.act({ do: 'cut_signaling' });
  const scope = 'signaling';
  await waitFor(() =>
    expect(onReconnected).toHaveBeenCalledWith(expect.objectContaining({ scope })),
  );
  expect(onInterrupted).toHaveBeenCalledWith({ scope, cause: 'connection_closed' });
  onAudioData.mockClear();
  await waitFor(() => {
    stream.clock.advance(40);
    expect(onAudioData).toHaveBeenCalled();
  });
});

test('a second join with new addresses follows the fail-over', async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  const onReconnected = vi.fn();
  client.onReconnected(onReconnected);
  client.onAudioData(() => {});
  await stream.join(client);
  const before = stream.payload().server_urls;
  stream.act({ do: 'failover', oldSockets: 'keep' });
  stream.clock.advance(1);
  expect(stream.payload().server_urls).not.toBe(before);
  expect(client.join(stream.payload())).toBe(true);
  await waitFor(() => expect(onReconnected).toHaveBeenCalled());
});

test('onGap reports per source what was missed in an interruption', async () => {
  await using stream = await simulateStream();
  const client = stream.client();
  const onGap = vi.fn();
  const onReconnected = vi.fn();
  const onVideoData = vi.fn();
  client.onGap(onGap);
  client.onReconnected(onReconnected);
  client.onVideoData(onVideoData);
  await stream.join(client);
  stream.clock.advance(200);
  await waitFor(() => expect(onVideoData).toHaveBeenCalled());
  stream.act({ do: 'cut_media', mediaType: 'video' });
  stream.clock.advance(5_000);
  await waitFor(() => expect(onReconnected).toHaveBeenCalled());
  await waitFor(() => {
    stream.clock.advance(40);
    expect(onGap).toHaveBeenCalledWith(expect.objectContaining({ mediaType: 'video' }));
  });
});
