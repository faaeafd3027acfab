import { describe, expect, test } from 'vitest';
import { simulate, simulateJoined } from '../test/support/rtms/simulated-client.ts';

describe('leaving', () => {
  test('emits every frame in flight before it ends', async () => {
    await using it = await simulateJoined();
    it.clock.advance(2_000);
    await it.client.leave();
    const sent = it.simulator.sent(it.rtmsStreamId).sources;
    expect(it.log.of('frame')).toHaveLength(sent.reduce((total, { frames }) => total + frames, 0));
    expect(it.log.of('frame').length).toBeGreaterThan(150);
    expect(it.client.media.audio?.codec).toBe(1);
    expect(it.log.names().at(-1)).toBe('ended');
    expect(it.log.of('ended')).toEqual([{ cause: 'left', restartable: false }]);
  });

  test('leaves the stream alive for the next client', async () => {
    await using it = await simulateJoined();
    await it.client.leave();
    expect(it.simulator.streams()[0]?.state).toBe('INTERRUPTED');
  });

  test('gives the same promise however often `leave` is called', async () => {
    await using it = await simulateJoined();
    await Promise.all([
      it.client.leave(),
      it.client.leave(),
      it.client.leave({ closeStream: true }),
    ]);
    await it.client.leave();
    expect(it.log.of('ended')).toHaveLength(1);
  });

  test('works before joining, and while dialling', async () => {
    await using idle = await simulate();
    await idle.client.leave();
    expect(idle.log.of('ended')).toEqual([{ cause: 'left', restartable: false }]);
    await using dialling = await simulate();
    dialling.client.join(dialling.join);
    await dialling.client.leave();
    expect(dialling.log.names()).toEqual(['state', 'state', 'state', 'ended']);
  });

  test('works from within any listener', async () => {
    for (const name of ['state', 'joined', 'sessionState', 'event'] as const) {
      await using it = await simulate();
      it.client.once(name, () => void it.client.leave());
      it.client.join(it.join);
      expect(await it.ended()).toEqual({ cause: 'left', restartable: false });
      expect(it.log.names().at(-1)).toBe('ended');
    }
  });

  test('emits the rest of a burst when a listener leaves during a frame', async () => {
    await using it = await simulateJoined();
    it.client.once('frame', () => void it.client.leave());
    it.clock.advance(1_000);
    await it.ended();
    expect(it.log.of('frame').length).toBeGreaterThan(90);
    expect(it.log.names().at(-1)).toBe('ended');
  });

  test('ends the stream for every client with `closeStream`', async () => {
    await using it = await simulateJoined();
    await it.client.leave({ closeStream: true });
    expect(it.log.of('ended')).toEqual([{ cause: 'closed', stopReason: 20, restartable: false }]);
    expect(it.simulator.streams()[0]?.state).toBe('TERMINATED');
  });

  test('ends with the reason that Zoom gives while the client leaves', async () => {
    await using it = await simulateJoined();
    it.act({ do: 'stop', reason: 6 });
    await it.client.leave();
    expect(it.log.of('ended')).toEqual([{ cause: 'stopped', stopReason: 6, restartable: false }]);
  });

  test('ignores a reconnect that is asked for while leaving and after it', async () => {
    await using it = await simulateJoined();
    const left = it.client.leave();
    it.client.reconnect('rtms_interrupted');
    await left;
    it.client.reconnect('rtms_interrupted');
    expect(it.log.of('interrupted')).toEqual([]);
  });
});
