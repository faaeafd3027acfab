import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LedgerRow } from '../../shared/record/event-data.ts';
import type { ActionInput } from '../../simulator/scenario/scenario.ts';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { startWorld, type World } from '../support/world.ts';

const MEETING = syntheticMeeting({ durationMs: 600_000, transcriptEveryMs: 300 });

let world: World;
beforeAll(async () => {
  world = await startWorld({ runners: 2, missing: 'nameless' });
}, 60_000);
afterAll(() => world[Symbol.asyncDispose](), 60_000);

async function startFlowing(): Promise<string> {
  const rtmsStreamId = world.play(MEETING);
  await world.flowing(rtmsStreamId, 1);
  return rtmsStreamId;
}

const act = (rtmsStreamId: string, action: ActionInput) =>
  world.simulator.act(rtmsStreamId, action);
const namesOf = (rtmsStreamId: string, epoch: number) =>
  world.eventsOf(rtmsStreamId).flatMap((event) => (event.epoch === epoch ? [event.name] : []));

function expectBalanced(ledger: readonly LedgerRow[]): void {
  for (const { received, written, lost } of ledger) expect(received).toBe(written + lost);
}

describe.concurrent('one session', () => {
  test('tells its life from start to end', async () => {
    const id = await startFlowing();
    act(id, { do: 'pause' });
    await world.event('session_paused', { rtmsStreamId: id });
    act(id, { do: 'resume' });
    await world.event('session_resumed', { rtmsStreamId: id });
    act(id, { do: 'stop', reason: 6 });
    const { data } = await world.event('session_ended', { rtmsStreamId: id });
    expect(data).toMatchObject({
      stopReason: 6,
      stopReasonName: 'MEETING_ENDED',
      restartable: false,
    });
    expectBalanced(data.ledger);
    const started = await world.event('session_started', { rtmsStreamId: id });
    expect(started.data).toMatchObject({
      product: 'meeting',
      media: { audio: { codec: 1, sampleRate: 1 }, transcript: {} },
    });
    const { requestedAtMs, claimedAtMs, streamingAtMs } = started.data;
    expect(requestedAtMs).toBeLessThanOrEqual(claimedAtMs);
    expect(claimedAtMs).toBeLessThanOrEqual(streamingAtMs);
    expect(namesOf(id, 1).filter((name) => name === 'session_started')).toHaveLength(1);
    expect(namesOf(id, 1).at(-1)).toBe('session_ended');
    const row = await world.until('the row written', async () => {
      const found = await world.row(id);
      return found.owner === undefined && found;
    });
    expect(row).toMatchObject({ epoch: 1, endedReason: 6 });
  });

  test('says that a technical end is restartable, and serves the restart', async () => {
    const id = await startFlowing();
    const { serverUrls = [], entityId } = await world.row(id);
    act(id, { do: 'stop', reason: 13 });
    const ended = await world.event('session_ended', { rtmsStreamId: id });
    expect(ended.data).toMatchObject({ stopReason: 13, restartable: true });
    // The simulator plays no stream twice: another one posts the webhook.
    act(await startFlowing(), {
      do: 'webhook',
      event: 'meeting.rtms_started',
      payload: { meeting_uuid: entityId, rtms_stream_id: id, server_urls: serverUrls.join(',') },
    });
    const takenOver = await world.event('session_taken_over', { rtmsStreamId: id, epoch: 2 });
    expect(takenOver.data).toMatchObject({ previousEpoch: 1, cause: 'restarted' });
    // Cut short by Zoom: what the meeting went on with meanwhile nobody has.
    const { blind = [] } = takenOver.data;
    expect(blind.map(({ mediaType }) => mediaType)).toEqual(['audio', 'transcript', 'chat']);
    // The stream itself is over: Zoom refuses the handshake.
    await world.log('missed', { rtmsStreamId: id, epoch: 2 });
    const second = await world.event('session_missed', { rtmsStreamId: id, epoch: 2 });
    expect(second.data).toMatchObject({ reason: 'refused' });
    expect(namesOf(id, 2)).toEqual(['session_taken_over', 'session_missed']);
    await world.until(
      'the row written',
      async () => (await world.row(id)).endedReason === 'missed',
    );
  });

  test('reconnects to new addresses in the same epoch', async () => {
    const id = await startFlowing();
    act(id, { do: 'failover' });
    const started = await world.log('reconnecting', { rtmsStreamId: id });
    await world.event('session_reconnected', { rtmsStreamId: id });
    const fresh = () => world.framesOf(id).some((frame) => frame.readAtMs > started.atMs);
    await world.until('frames from the new server', fresh);
    act(id, { do: 'stop', reason: 6 });
    const { epoch, data } = await world.event('session_ended', { rtmsStreamId: id });
    expect(epoch).toBe(1);
    expectBalanced(data.ledger);
  });

  test('drops what is buffered of a revoked stream, and says so', async () => {
    const id = await startFlowing();
    act(id, { do: 'revoke' });
    const { data } = await world.event('session_ended', { rtmsStreamId: id });
    expect(data).toMatchObject({ stopReason: 8, stopReasonName: 'STREAM_REVOKED' });
    expectBalanced(data.ledger);
    expect(namesOf(id, 1)).toContain('session_revoked');
    for (const event of world.eventsOf(id)) {
      if (event.name === 'gap') expect(event.data.cause).toBe('revoked');
    }
  });

  test('tells a revocation that comes after the end, in an epoch of its own', async () => {
    const id = await startFlowing();
    const { entityId } = await world.row(id);
    act(id, { do: 'stop', reason: 6 });
    await world.until('the row written', async () => (await world.row(id)).owner === undefined);
    act(await startFlowing(), {
      do: 'webhook',
      event: 'meeting.rtms_stopped',
      payload: { meeting_uuid: entityId, rtms_stream_id: id, stop_reason: 8 },
    });
    const ended = await world.event('session_ended', { rtmsStreamId: id, epoch: 2 });
    expect(ended.data).toMatchObject({ stopReason: 8, stopReasonName: 'STREAM_REVOKED' });
    expect(namesOf(id, 2)).toEqual(['session_taken_over', 'session_revoked', 'session_ended']);
    const row = await world.until('the row written again', async () => {
      const found = await world.row(id);
      return found.owner === undefined && found;
    });
    expect(row).toMatchObject({ epoch: 2, endedReason: 8 });
  });

  test('gives the stream to another runner when the operator requests it', async () => {
    const id = await startFlowing();
    const { taskId } = await world.log('claimed', { rtmsStreamId: id, epoch: 1 });
    await world.request(id, 'handover');
    const { taskId: next } = await world.log('claimed', { rtmsStreamId: id, epoch: 2 });
    expect(next).not.toBe(taskId);
    const { data } = await world.event('session_handed_over', { rtmsStreamId: id });
    expect(data.cause).toBe('operator');
    await world.flowing(id, 2);
    act(id, { do: 'stop', reason: 6 });
    await world.event('session_ended', { rtmsStreamId: id });
  });

  test('closes the stream when the operator requests a stop', async () => {
    const id = await startFlowing();
    await world.request(id, 'stop');
    const { data } = await world.event('session_ended', { rtmsStreamId: id });
    expect(data).toMatchObject({ stopReason: 20, restartable: false });
    await world.simulator.finished(id);
  });

  test('counts a message it could not read as a gap', async () => {
    const id = await startFlowing();
    const frame = { user_id: 16_778_240, data: '%%%', timestamp: Date.now() };
    act(id, { do: 'raw', socket: 'audio', text: JSON.stringify({ msg_type: 14, content: frame }) });
    const gap = await world.event('gap', { rtmsStreamId: id });
    expect(gap.data).toMatchObject({ mediaType: 'audio', cause: 'malformed', count: 1 });
    act(id, { do: 'stop', reason: 6 });
    const { data } = await world.event('session_ended', { rtmsStreamId: id });
    expectBalanced(data.ledger);
    expect(data.ledger.some(({ lost }) => lost === 1)).toBe(true);
  });

  test('reconnects a lost signaling socket and tells so', async () => {
    const id = await startFlowing();
    act(id, { do: 'cut_signaling' });
    const { data } = await world.event('session_interrupted', { rtmsStreamId: id });
    expect(data).toMatchObject({ scope: 'signaling', attempt: 0, durationMs: 0 });
    const back = await world.event('session_reconnected', { rtmsStreamId: id });
    expect(back.data.scope).toBe('signaling');
    act(id, { do: 'stop', reason: 6 });
    await world.event('session_ended', { rtmsStreamId: id });
  });

  test('is served once, however often its start is delivered', async () => {
    const id = await startFlowing();
    for (let i = 0; i < 3; i++) act(id, { do: 'replay_webhook', kind: 'started' });
    act(id, { do: 'stop', reason: 6 });
    const { epoch } = await world.event('session_ended', { rtmsStreamId: id });
    expect(epoch).toBe(1);
  });
});

test('loses nothing without a word', async () => {
  await world.until('a complete ledger', () => world.ledger.report().ok);
  expect(world.late).toEqual([]);
});
