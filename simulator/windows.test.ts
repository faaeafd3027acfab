import { afterEach, describe, expect, test } from 'vitest';
import { STOP_REASON } from '../rtms/protocol/stop-reason.ts';
import {
  joinMedia,
  joinSignaling,
  joinUnified,
  pass,
  RawSocket,
} from '../test/support/raw-client.ts';
import { waitUntil } from '../test/support/wait.ts';
import { type ManualClock, manualClock } from './clock.ts';
import type { Behaviour } from './scenario/behaviour.ts';
import { type Simulator, startSimulator } from './simulator.ts';

const NOW = 1_738_392_033_699;
const MULTI = { audio: { data_opt: 2 } };
const participants = [{ userId: 1, userName: 'Ada', audio: { kind: 'synthetic' as const } }];

let clock: ManualClock;
let simulator: Simulator;
afterEach(() => simulator.close());

/** Webhooks go to an address where nobody listens: what was sent is enough. */
async function start(behaviour: Partial<Behaviour> = {}) {
  clock = manualClock(NOW);
  const webhookUrls = ['http://127.0.0.1:9/'];
  simulator = await startSimulator({
    clock,
    // What is missed is counted on busy sockets too.
    behaviour: { keepAliveOnlyWhenIdle: false, ...behaviour },
    webhookUrls,
    seed: 'test',
  });
  return simulator.start({ name: 'test', durationMs: 3_600_000, participants }) as string;
}

function webhooks() {
  return simulator.deliveries.map(({ event }) => event);
}

function lastWebhook() {
  return webhooks().at(-1);
}

async function stopReason(id: string): Promise<unknown> {
  await simulator.finished(id);
  const stopped = webhooks().find(({ event }) => event.endsWith('_stopped'));
  return stopped?.payload['stop_reason'];
}

async function interrupted() {
  await waitUntil(() => lastWebhook()?.event === 'meeting.rtms_interrupted');
}

describe('keep-alive', () => {
  test('is asked for every 10 seconds on every socket', async () => {
    const id = await start();
    const { signaling, media } = await joinUnified(simulator, id);
    for (const socket of [signaling, media]) socket.answersKeepAlives = false;
    clock.advance(20_000);
    for (const socket of [signaling, media]) {
      await socket.caughtUp();
      const asked = socket.take(12).map(({ timestamp }) => timestamp);
      expect(asked).toEqual([NOW + 10_000, NOW + 20_000]);
    }
  });

  test('can be asked for on idle sockets only', async () => {
    const id = await start({ keepAliveOnlyWhenIdle: true });
    const { signaling, media } = await joinUnified(simulator, id, { media_params: MULTI });
    signaling.answersKeepAlives = false;
    clock.advance(10_000);
    clock.advance(10_000);
    await Promise.all([signaling.caughtUp(), media.caughtUp()]);
    expect(signaling.take(12)).toHaveLength(1);
    expect(media.take(12)).toHaveLength(0);
  });

  test('must come back digit for digit, or the connection is dropped after three', async () => {
    const id = await start({ keepAliveUnit: 'ns' });
    const { signaling } = await joinSignaling(simulator, id);
    await pass(clock, 50_000, [signaling]);
    signaling.answersKeepAlives = false;
    for (let i = 0; i < 3; i++) {
      clock.advance(10_000);
      // What a client does that reads the number as a double.
      const { timestamp } = await signaling.next(12);
      signaling.send({ msg_type: 13, timestamp });
      await signaling.caughtUp();
    }
    clock.advance(10_000);
    expect(await signaling.closed).toBe(1006);
  });

  test('unanswered on signaling: interrupted, and after a minute stopped for it', async () => {
    const id = await start();
    const { signaling } = await joinUnified(simulator, id);
    signaling.answersKeepAlives = false;
    clock.advance(40_000);
    expect(await signaling.closed).toBe(1006);
    await interrupted();
    clock.advance(60_000);
    expect(await stopReason(id)).toBe(STOP_REASON.KEEP_ALIVE_TIMEOUT);
  });

  test('unanswered on a frozen connection: the client is not told', async () => {
    const id = await start();
    const { signaling } = await joinUnified(simulator, id);
    simulator.act(id, { do: 'cut_signaling', how: 'freeze' });
    clock.advance(40_000);
    await interrupted();
    expect(signaling.socket.readyState).toBe(signaling.socket.OPEN);
    const { response } = await joinSignaling(simulator, id);
    expect(response.status_code).toBe(0);
  });
});

describe('a client that never comes', () => {
  test('loses the stream after a minute', async () => {
    const id = await start();
    clock.advance(60_000);
    expect(await stopReason(id)).toBe(STOP_REASON.CONNECTION_TIMEOUT);
  });

  test('is told apart from one with the wrong secret', async () => {
    const id = await start();
    const { response } = await joinSignaling(simulator, id, { signature: '0'.repeat(64) });
    expect(response.status_code).toBe(3);
    clock.advance(60_000);
    expect(await stopReason(id)).toBe(STOP_REASON.AUTHENTICATION_FAILURE);
  });
});

describe('signaling lost', () => {
  test.each([
    ['closed by the client', 'close', STOP_REASON.SIGNAL_CONNECTION_INTERRUPTED],
    ['cut by the client', 'terminate', STOP_REASON.SIGNAL_CONNECTION_CLOSED_ABNORMALLY],
  ] as const)('%s: a minute to come back', async (_name, how, reason) => {
    const id = await start();
    const { signaling } = await joinUnified(simulator, id);
    signaling.socket[how]();
    await interrupted();
    expect(simulator.streams()[0]?.state).toBe('INTERRUPTED');
    clock.advance(59_999);
    expect(simulator.streams()[0]?.state).toBe('INTERRUPTED');
    clock.advance(1);
    expect(await stopReason(id)).toBe(reason);
  });

  test.each(['cut_signaling', 'evict'] as const)('through %s: reason 19', async (action) => {
    const id = await start();
    const { signaling } = await joinUnified(simulator, id);
    simulator.act(id, { do: action });
    await signaling.closed;
    expect(lastWebhook()?.event).toBe('meeting.rtms_interrupted');
    clock.advance(60_000);
    expect(await stopReason(id)).toBe(STOP_REASON.AWAIT_RECONNECTION_TIMEOUT);
  });

  test('stops media at once, and keeps the audio for the client that reconnects', async () => {
    const id = await start();
    const first = await joinUnified(simulator, id, { media_params: MULTI });
    clock.advance(100);
    simulator.act(id, { do: 'cut_signaling' });
    clock.advance(30_000);
    await first.media.caughtUp();
    expect(first.media.take(14)).toHaveLength(5);
    const second = await joinUnified(simulator, id, { media_params: MULTI });
    expect(await first.media.closed).toBe(1000);
    clock.advance(20);
    await second.media.caughtUp();
    const burst = second.media.take(14);
    expect(burst[0]?.content.timestamp).toBe(NOW + 100);
    expect(burst).toHaveLength(1_501);
    await pass(clock, 120_000, [second.signaling, second.media]);
    expect(simulator.streams()[0]?.state).toBe('ACTIVE');
  });
});

describe('a media socket lost', () => {
  test('is told on signaling, and has 65 seconds to come back', async () => {
    const id = await start();
    const { signaling, response } = await joinSignaling(simulator, id);
    const { audio: url } = response.media_server.server_urls;
    const fields = { media_type: 1, media_params: MULTI };
    const { media } = await joinMedia(simulator, id, url, fields);
    signaling.send({ msg_type: 7, rtms_stream_id: id });
    await signaling.next(8);
    simulator.act(id, { do: 'cut_media', mediaType: 'audio' });
    expect(await media.closed).toBe(1006);
    expect(await signaling.next(6)).toEqual({
      msg_type: 6,
      event: { event_type: 7, timestamp: NOW },
    });
    expect(await signaling.next(8)).toMatchObject({ state: 2, reason: 14 });
    await pass(clock, 64_000, [signaling]);
    const again = await joinMedia(simulator, id, url, fields);
    expect(await signaling.next(8)).toMatchObject({ state: 1, reason: 0 });
    clock.advance(20);
    // 64 s are more than the buffer keeps.
    expect((await again.media.next(14)).content.timestamp).toBe(NOW + 4_000);
    await pass(clock, 10_000, [signaling, again.media]);
    expect(simulator.streams()[0]?.state).toBe('ACTIVE');
  });

  test.each([
    ['closed by the client', 'close', STOP_REASON.DATA_CONNECTION_INTERRUPTED],
    ['cut by the client', 'terminate', STOP_REASON.DATA_CONNECTION_CLOSED_ABNORMALLY],
  ] as const)('%s, and no client comes back: the stream ends', async (_name, how, reason) => {
    const id = await start();
    const { signaling, media } = await joinUnified(simulator, id);
    media.socket[how]();
    await signaling.next(8);
    await pass(clock, 60_000, [signaling]);
    clock.advance(5_000);
    expect(await stopReason(id)).toBe(reason);
    expect(await signaling.closed).toBe(1000);
  });

  test('closed by Zoom, and no client comes back: reason 19', async () => {
    const id = await start();
    const { signaling, media } = await joinUnified(simulator, id);
    simulator.act(id, { do: 'cut_media', how: 'close' });
    expect(await media.closed).toBe(1000);
    await signaling.next(8);
    await pass(clock, 60_000, [signaling]);
    clock.advance(5_000);
    expect(await stopReason(id)).toBe(STOP_REASON.AWAIT_RECONNECTION_TIMEOUT);
  });
});

describe('the ledger of a broken connection', () => {
  test('counts as uncertain what was sent after the last answered keep-alive', async () => {
    const id = await start();
    const { media } = await joinUnified(simulator, id, { media_params: MULTI });
    clock.advance(10_000);
    await media.caughtUp();
    await media.caughtUp();
    clock.advance(100);
    simulator.act(id, { do: 'cut_media' });
    const [audio] = simulator.sent(id).sources;
    expect(audio?.frames).toBe(505);
    expect(audio?.uncertain).toMatchObject([{ end: 'server_cut', toMs: NOW + 10_080 }]);
    expect(audio?.uncertain[0]?.frames).toBeLessThanOrEqual(6);
  });

  test('is certain of everything when the client closed in good order', async () => {
    const id = await start();
    const { media } = await joinUnified(simulator, id, { media_params: MULTI });
    clock.advance(100);
    const closing = media.close();
    clock.advance(100);
    await closing;
    await waitUntil(() => simulator.streams()[0]?.state === 'INTERRUPTED');
    const [audio] = simulator.sent(id).sources;
    expect(media.take(14)).toHaveLength(audio?.frames ?? 0);
    expect(audio?.uncertain).toEqual([]);
  });

  test('sends late what was stalled, and nothing twice', async () => {
    const id = await start();
    const { media } = await joinUnified(simulator, id, { media_params: MULTI });
    simulator.act(id, { do: 'stall_media', mediaType: 'audio', durationMs: 1_000 });
    clock.advance(990);
    await media.caughtUp();
    expect(media.take(14)).toEqual([]);
    clock.advance(30);
    await media.caughtUp();
    expect(media.take(14)).toHaveLength(51);
  });
});

describe('fail-over', () => {
  test('announces a new address for the same stream; the old one leads nowhere', async () => {
    const id = await start();
    const oldUrl = simulator.serverUrl(id);
    const { signaling, media } = await joinUnified(simulator, id, { media_params: MULTI });
    clock.advance(100);
    simulator.act(id, { do: 'failover', gapMs: 2_000 });
    expect(await Promise.all([signaling.closed, media.closed])).toEqual([1006, 1006]);
    expect(webhooks()).toHaveLength(1);
    clock.advance(2_000);
    const [first, second] = webhooks();
    expect(second).toMatchObject({
      event: 'meeting.rtms_started',
      event_ts: NOW + 2_100,
      payload: { rtms_stream_id: id, server_urls: simulator.serverUrl(id) },
    });
    expect(first?.payload['server_urls']).toBe(oldUrl);
    await expect(RawSocket.open(oldUrl)).rejects.toThrow();
    const again = await joinUnified(simulator, id, { media_params: MULTI });
    clock.advance(20);
    expect((await again.media.next(14)).content.timestamp).toBe(NOW + 100);
  });

  test('can leave the old sockets open, in silence', async () => {
    const id = await start();
    const { signaling, media } = await joinUnified(simulator, id, { media_params: MULTI });
    simulator.act(id, { do: 'failover', oldSockets: 'keep' });
    clock.advance(1_000);
    await Promise.all([signaling.caughtUp(), media.caughtUp()]);
    expect(media.take(14)).toEqual([]);
    await pass(clock, 55_000, [signaling]);
    clock.advance(5_000);
    expect(await stopReason(id)).toBe(STOP_REASON.INSTANCE_CONNECTION_INTERRUPTED);
    expect(await signaling.closed).toBe(1000);
  });
});
