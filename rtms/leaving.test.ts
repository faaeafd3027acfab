import { describe, expect, it } from 'vitest';
import { simulate, simulateJoined } from '../test/support/rtms/simulated-client.ts';

describe('leaving', () => {
  it('emits every frame in flight before it ends', async () => {
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

  it('leaves the stream alive for whoever comes next', async () => {
    await using it = await simulateJoined();
    await it.client.leave();
    expect(it.simulator.streams()[0]?.state).toBe('INTERRUPTED');
  });

  it('is the same however often it is asked for', async () => {
    await using it = await simulateJoined();
    await Promise.all([
      it.client.leave(),
      it.client.leave(),
      it.client.leave({ closeStream: true }),
    ]);
    await it.client.leave();
    expect(it.log.of('ended')).toHaveLength(1);
  });

  it('works before joining, and while dialling', async () => {
    await using idle = await simulate();
    await idle.client.leave();
    expect(idle.log.of('ended')).toEqual([{ cause: 'left', restartable: false }]);
    await using dialling = await simulate();
    dialling.client.join(dialling.join);
    await dialling.client.leave();
    expect(dialling.log.names()).toEqual(['state', 'state', 'state', 'ended']);
  });

  it('works from within any listener', async () => {
    for (const name of ['state', 'joined', 'sessionState', 'event'] as const) {
      await using it = await simulate();
      it.client.once(name, () => void it.client.leave());
      it.client.join(it.join);
      expect(await it.ended()).toEqual({ cause: 'left', restartable: false });
      expect(it.log.names().at(-1)).toBe('ended');
    }
  });

  it('goes on emitting the frames of a burst when a frame made it leave', async () => {
    await using it = await simulateJoined();
    it.client.once('frame', () => void it.client.leave());
    it.clock.advance(1_000);
    await it.ended();
    expect(it.log.of('frame').length).toBeGreaterThan(90);
    expect(it.log.names().at(-1)).toBe('ended');
  });

  it('closes the stream for everybody when asked to', async () => {
    await using it = await simulateJoined();
    await it.client.leave({ closeStream: true });
    expect(it.log.of('ended')).toEqual([{ cause: 'closed', stopReason: 20, restartable: false }]);
    expect(it.simulator.streams()[0]?.state).toBe('TERMINATED');
  });

  it('keeps what Zoom says about the end while leaving', async () => {
    await using it = await simulateJoined();
    it.act({ do: 'stop', reason: 6 });
    await it.client.leave();
    expect(it.log.of('ended')).toEqual([{ cause: 'stopped', stopReason: 6, restartable: false }]);
  });

  it('does nothing more on a reconnect that comes too late', async () => {
    await using it = await simulateJoined();
    const left = it.client.leave();
    it.client.reconnect('rtms_interrupted');
    await left;
    it.client.reconnect('rtms_interrupted');
    expect(it.log.of('interrupted')).toEqual([]);
  });
});
