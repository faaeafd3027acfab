import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { AgreedMedia } from '../../rtms/protocol/agreed-media.ts';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import type { MemoryClient } from '../../test/support/session/memory-client.ts';
import {
  SESSION_AT_MS as AT,
  AUDIO_FRAME as FRAME,
  CLAIMED_ROW as ROW,
} from '../../test/support/session/one-session.ts';
import { SessionParts } from '../../test/support/session/session-parts.ts';
import type { ClaimedRow, SessionContext } from './context.ts';
import { Session } from './session.ts';

const MEDIA: AgreedMedia = {
  audio: { contentType: 2, codec: 1, sampleRate: 1, channel: 1, dataOpt: 2, sendRateMs: 20 },
};

let parts: SessionParts;
/** Whether the claim holds. */
let isOwner: boolean;
beforeEach(() => {
  vi.useFakeTimers({ now: AT });
  parts = new SessionParts();
  isOwner = true;
});
afterEach(() => {
  vi.useRealTimers();
});

/** A session that has begun, and its client once it has one. */
async function begun(claim: Partial<ClaimedRow> = {}, context: Partial<SessionContext> = {}) {
  const row = { ...ROW, ...claim.row };
  const session = new Session(
    { epoch: 1, cause: undefined, holds: () => isOwner, ...claim, row },
    parts.context(context),
  );
  session.start();
  await vi.advanceTimersByTimeAsync(0);
  return { session, client: parts.clients[0] as MemoryClient };
}

async function streaming(claim: Partial<ClaimedRow> = {}) {
  const { session, client } = await begun(claim);
  client.emit('joined', MEDIA, []);
  return { session, client };
}

const lastEvent = () => parts.events.lines.at(-1);
const ledgerOf = (mediaType: string) => {
  const ledger = lastEvent()?.data['ledger'] as { mediaType: string }[] | undefined;
  return ledger?.find((row) => row.mediaType === mediaType);
};

describe('a stream from its start to its end', () => {
  test('is joined with the addresses and the credentials of its row', async () => {
    const { session, client } = await begun();
    const { product, entityId, rtmsStreamId, serverUrls } = ROW;
    const credentials = { clientId: 'id', clientSecret: 'secret' };
    expect(client.joins).toEqual([{ product, entityId, rtmsStreamId, serverUrls, ...credentials }]);
    expect(session).toMatchObject({ state: 'connecting', isConnected: false, media: undefined });
  });

  test('is recorded: started, frames, ended with what was counted', async () => {
    const { session, client } = await streaming();
    await session.connected;
    expect(session).toMatchObject({ state: 'streaming', isConnected: true, media: MEDIA });
    client.emit('frame', FRAME);
    client.emit('paused', AT);
    expect(session.state).toBe('paused');
    client.emit('resumed', AT);
    client.emit('ended', { cause: 'stopped', stopReason: 6, restartable: false });
    expect(await session.result).toEqual({ kind: 'ended', reason: 6, atMs: AT });
    expect(parts.eventNames).toEqual([
      'session_started',
      'session_paused',
      'session_resumed',
      'session_ended',
    ]);
    expect(parts.events.lines[0]?.data).toMatchObject({
      product: 'meeting',
      requestedAtMs: AT - 500,
      claimedAtMs: AT - 100,
      streamingAtMs: AT,
    });
    expect(ledgerOf('audio')).toMatchObject({ received: 1, written: 1, lost: 0 });
    expect(parts.told.counts).toEqual(['WebhookToFirstFrame']);
    expect(session.state).toBe('ending');
  });

  test('takes what still comes while the sockets close', async () => {
    const { session, client } = await streaming();
    client.lastWords = () => void client.emit('frame', FRAME);
    session.handOver('shutdown');
    await session.result;
    expect(ledgerOf('audio')).toMatchObject({ received: 1, written: 1 });
  });

  test('that Zoom has stopped before the claim is ended without a connection', async () => {
    const { session } = await begun({ row: { ...ROW, stopEventTsMs: 2_000, stopReason: 6 } });
    const missed = { stopReason: 6 };
    expect(await session.result).toMatchObject({ kind: 'missed', missed });
    expect(parts.clients).toEqual([]);
    expect(parts.eventNames).toEqual([]);
  });

  test('that is revoked keeps no media that waited, and says so before its end', async () => {
    const { session, client } = await streaming();
    parts.events.finish('written');
    client.emit('frame', FRAME);
    client.emit('ended', { cause: 'stopped', stopReason: 8, restartable: false });
    await session.result;
    expect(parts.eventNames).toEqual([
      'session_started',
      'session_revoked',
      'gap',
      'session_ended',
    ]);
    expect(ledgerOf('audio')).toMatchObject({ written: 0, lost: 1 });
  });
});

describe('without a connection', () => {
  const other = { serverUrls: ['wss://elsewhere.example'] };
  test('an address outside the allowed hosts is refused, before credentials are asked for', async () => {
    const credentials = vi.fn();
    const { session } = await begun({ row: { ...ROW, ...other } }, { credentials });
    const missed = { reason: 'address_refused' };
    expect(await session.result).toMatchObject({ kind: 'missed', missed });
    expect(credentials).not.toHaveBeenCalled();
    expect(parts.told.events).toContain('address_refused');
  });

  test('a stream without credentials is refused', async () => {
    const { session } = await begun({}, { credentials: () => Promise.reject(new Error('none')) });
    const missed = { reason: 'no_credentials', epoch: 1, sequence: 1 };
    expect(await session.result).toMatchObject({ kind: 'missed', missed });
    expect(parts.told.events).toContain('credentials_failed');
  });

  test('a stream that ends while credentials are awaited is not joined', async () => {
    const { session } = await begun();
    const late = new SessionParts();
    const { promise, resolve } = Promise.withResolvers<{
      clientId: string;
      clientSecret: string;
    }>();
    const waiting = new Session(
      { row: ROW, epoch: 1, cause: undefined, holds: () => true },
      late.context({ credentials: () => promise }),
    );
    waiting.start();
    waiting.handOver('operator');
    expect(await waiting.result).toMatchObject({ kind: 'handed_over', cause: 'operator' });
    resolve({ clientId: 'id', clientSecret: 'secret' });
    await vi.advanceTimersByTimeAsync(0);
    expect(late.clients).toEqual([]);
    session.drop('the test is over');
  });

  test('new addresses that come while credentials are awaited are the ones that are joined', async () => {
    const moved = { ...ROW, startEventTsMs: 2_000, serverUrls: ['wss://b.zoom.us'] };
    const { promise, resolve } = Promise.withResolvers<{
      clientId: string;
      clientSecret: string;
    }>();
    const { session } = await begun({}, { credentials: () => promise });
    const start = moved as never;
    session.follow({ act: 'reconnect', cause: 'fail_over', start, interruptEventTsMs: 0 });
    resolve({ clientId: 'id', clientSecret: 'secret' });
    await vi.advanceTimersByTimeAsync(0);
    expect(parts.clients[0]?.joins[0]?.serverUrls).toEqual(moved.serverUrls);
    session.drop('the test is over');
  });

  test('a refusal is missed when no webhook about a stop comes within 3 s', async () => {
    const { session, client } = await begun();
    client.emit('ended', { cause: 'refused', status: 2, restartable: false });
    await vi.advanceTimersByTimeAsync(2_900);
    expect(session.state).toBe('connecting');
    await vi.advanceTimersByTimeAsync(400);
    expect(await session.result).toMatchObject({ kind: 'missed', missed: { status: 2 } });
    // Its event is written once the row holds it.
    expect(parts.eventNames).toEqual([]);
  });

  test('a refusal is the stop that the webhook tells a moment later', async () => {
    let row: SessionRow = ROW;
    const { session, client } = await begun({}, { row: async () => row });
    client.emit('ended', { cause: 'refused', status: 2, restartable: false });
    await vi.advanceTimersByTimeAsync(1_000);
    row = { ...ROW, stopEventTsMs: 2_000, stopReason: 13 };
    await vi.advanceTimersByTimeAsync(300);
    const missed = { stopReason: 13 };
    expect(await session.result).toMatchObject({ kind: 'missed', missed });
  });

  test('a stream that flowed before this task took it over is ended, not missed', async () => {
    const { session, client } = await begun({ cause: 'owner_lost' });
    client.emit('ended', { cause: 'stopped', stopReason: 13, restartable: true });
    expect(await session.result).toMatchObject({ kind: 'ended', reason: 13 });
    expect(parts.eventNames).toEqual(['session_taken_over', 'session_ended']);
  });

  test.each([
    ['its owner knew of the end', {}, AT + 3_000],
    ['Zoom had stopped it, before its claim', { stopEventTsMs: 2_000, stopReason: 6 }, 2_000],
  ])(
    'a stream that ends before media flows says until when it ran: until %s',
    async (_when, stopped, leftAtMs) => {
      const { session, client } = await begun({ cause: 'owner_lost', row: { ...ROW, ...stopped } });
      await vi.advanceTimersByTimeAsync(3_000);
      client?.emit('ended', { cause: 'stopped', stopReason: 6, restartable: false });
      await session.result;
      expect(lastEvent()?.data).toMatchObject({ stopReason: 6, leftAtMs });
    },
  );

  test('a revoked stream of which an earlier run was recorded says so, though this run never flowed', async () => {
    const row = { ...ROW, epoch: 3, runEpoch: 3, connectedEpoch: 1 };
    const { session } = await begun({ row, epoch: 3, cause: 'restarted' });
    session.follow({ act: 'end', stopReason: 8 });
    expect(await session.result).toMatchObject({ kind: 'ended', reason: 8 });
    expect(parts.eventNames).toEqual(['session_taken_over', 'session_revoked', 'session_ended']);
  });

  test('a stream that no owner before could connect to is missed', async () => {
    const row = { ...ROW, epoch: 2, runEpoch: 1 };
    const { session, client } = await begun({ cause: 'owner_lost', epoch: 2, row });
    client.emit('ended', { cause: 'stopped', stopReason: 13, restartable: true });
    // The takeover stands before the event, in the same epoch.
    const missed = { epoch: 2, sequence: 2, stopReason: 13 };
    expect(await session.result).toMatchObject({ kind: 'missed', missed });
    expect(parts.eventNames).toEqual(['session_taken_over']);
  });

  test('a stream that was given to this task goes back after 15 s', async () => {
    const { session } = await begun({ cause: 'handed_over', mayHandBack: true });
    await vi.advanceTimersByTimeAsync(14_999);
    expect(session.state).toBe('connecting');
    await vi.advanceTimersByTimeAsync(1);
    expect(await session.result).toMatchObject({ kind: 'handed_over', cause: 'unable' });
    expect(parts.told.counts).toEqual(['Takeovers/handed_over', 'HandOvers/unable']);
  });

  test('a stream that was given to this task stays once it is connected', async () => {
    const { session } = await streaming({ cause: 'handed_over', mayHandBack: true });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(session.state).toBe('streaming');
    session.drop('the test is over');
  });
});

describe('what the row asks for', () => {
  const moved = { ...ROW, startEventTsMs: 2_000, serverUrls: ['wss://b.zoom.us'] };

  test('new addresses are dialled and remembered', async () => {
    const { session, client } = await streaming();
    const start = moved as never;
    session.follow({ act: 'reconnect', cause: 'fail_over', start, interruptEventTsMs: 1_500 });
    expect(client.reconnects).toEqual([{ cause: 'fail_over', serverUrls: moved.serverUrls }]);
    expect(session.view).toMatchObject({
      startEventTsMs: 2_000,
      serverUrls: moved.serverUrls,
      handledInterruptTsMs: 1_500,
      lastHandshakeAtMs: AT,
    });
  });

  test('a newer start at the same addresses is remembered', async () => {
    const { session, client } = await streaming();
    session.follow({ act: 'adopt', start: { ...moved, serverUrls: ROW.serverUrls } as never });
    expect(session.view.startEventTsMs).toBe(2_000);
    expect(client.reconnects).toEqual([]);
  });

  test('a stop ends the stream', async () => {
    const { session } = await streaming();
    session.follow({ act: 'end', stopReason: 6 });
    expect(await session.result).toMatchObject({ kind: 'ended', reason: 6 });
  });

  test('an operator stop has Zoom close the stream', async () => {
    const { session, client } = await streaming();
    session.stop();
    expect(await session.result).toMatchObject({ kind: 'ended', reason: 20 });
    expect(client.leaves[0]).toEqual({ closeStream: true });
  });

  test('a row of somebody else ends everything at once, and nothing more is written', async () => {
    const { session, client } = await streaming();
    client.emit('frame', FRAME);
    session.follow({ act: 'drop' });
    expect(await session.result).toEqual({ kind: 'dropped' });
    client.emit('frame', FRAME);
    expect(parts.eventNames).toEqual(['session_started']);
    expect(parts.media.units).toEqual([]);
    expect(parts.media.past).toHaveLength(1);
    expect(client.leaves).toHaveLength(1);
  });

  test('the first reason to end stands', async () => {
    const { session } = await streaming();
    session.handOver('operator');
    session.stop();
    session.follow({ act: 'end', stopReason: 6 });
    expect(await session.result).toMatchObject({ kind: 'handed_over', cause: 'operator' });
  });

  test('a session that is ending finishes as long as it has the right to', async () => {
    const { session, client } = await streaming();
    client.lastWords = () => session.drop('heartbeat lost');
    session.handOver('operator');
    expect(await session.result).toMatchObject({ kind: 'handed_over' });
  });

  test('a session that loses its right while it is ending is dropped', async () => {
    const { session, client } = await streaming();
    client.lastWords = () => {
      isOwner = false;
      session.drop('heartbeat lost');
    };
    session.handOver('operator');
    expect(await session.result).toEqual({ kind: 'dropped' });
  });
});

describe('a stream that had an owner before', () => {
  test('is told as taken over before everything else, and once', async () => {
    const { client } = await begun({ epoch: 2, cause: 'owner_lost', previous: { seenAtMs: AT } });
    client.emit('chat', { text: 'hello', timestampMs: AT });
    client.emit('joined', MEDIA, []);
    expect(parts.eventNames).toEqual(['session_taken_over', 'chat', 'session_started']);
    expect(parts.events.lines[0]?.data).toMatchObject({ previousEpoch: 1, cause: 'owner_lost' });
  });

  test('is told as taken over even when nothing of it comes', async () => {
    const { session } = await begun({ epoch: 2, cause: 'owner_lost' });
    session.handOver('shutdown');
    await session.result;
    expect(parts.eventNames).toEqual(['session_taken_over', 'session_handed_over']);
  });
});

test('a connection lost while the table is away is not dialled again', async () => {
  const { session, client } = await streaming({ isSuspended: () => true });
  client.emit('interrupted', { scope: 'audio', cause: 'watchdog' });
  expect(session.state).toBe('reconnecting');
  client.emit('interrupted', { scope: 'signaling', cause: 'watchdog' });
  expect(await session.result).toEqual({ kind: 'dropped' });
});

describe('a defect', () => {
  const fail = () => {
    throw new TypeError('a defect of ours');
  };

  test('in a listener ends the session in order, with a strike', async () => {
    const { session, client } = await streaming();
    parts.media.put = fail;
    client.emit('frame', FRAME);
    expect(await session.result).toMatchObject({ kind: 'defect' });
    expect(lastEvent()).toMatchObject({ data: { cause: 'defect' } });
    expect(parts.told.counts).toContain('SessionDefects');
  });

  test('of the ending itself cuts it short', async () => {
    const { session, client } = await streaming();
    client.lastWords = async () => fail();
    session.handOver('shutdown');
    // Without a last event the row may not say that this owner gave the stream away.
    expect(await session.result).toMatchObject({ kind: 'unrecorded', of: { kind: 'defect' } });
    expect(parts.eventNames).toEqual(['session_started']);
  });

  test('in a listener while the sockets close changes nothing', async () => {
    const { session, client } = await streaming();
    client.on('resumed', fail);
    client.lastWords = () => void client.emit('resumed', AT);
    session.handOver('shutdown');
    expect(await session.result).toMatchObject({ kind: 'handed_over' });
  });

  test('of what is dropped still gives a result', async () => {
    const { session } = await streaming();
    parts.events.drop = fail;
    session.drop('not the owner any more');
    expect(await session.result).toEqual({ kind: 'dropped' });
  });
});

describe('at the flush deadline', () => {
  test('a session stops waiting, reports what is lost and writes its last event', async () => {
    const { session, client } = await streaming();
    client.emit('frame', FRAME);
    parts.media.fate = 'stalled';
    session.handOver('shutdown');
    parts.deadline.signalled(() => {});
    await vi.advanceTimersByTimeAsync(999);
    expect(parts.eventNames).not.toContain('session_handed_over');
    await vi.advanceTimersByTimeAsync(1);
    expect(await session.result).toMatchObject({ kind: 'handed_over' });
    expect(parts.eventNames).toEqual(['session_started', 'gap', 'session_handed_over']);
    expect(ledgerOf('audio')).toMatchObject({ written: 0, lost: 1 });
  });

  test.each([
    ['Kinesis takes nothing', 'stalled'],
    ['Kinesis refuses the event', 'write_failed'],
  ] as const)(
    'a session whose last event is not recorded says so, where %s',
    async (_title, fate) => {
      const { session } = await streaming();
      parts.events.finish('written');
      parts.events.fate = fate;
      session.handOver('shutdown');
      parts.deadline.signalled(() => {});
      await vi.advanceTimersByTimeAsync(1_000 + 6_000);
      const of = { kind: 'handed_over', cause: 'shutdown', atMs: AT };
      expect(await session.result).toEqual({ kind: 'unrecorded', of, atMs: AT });
      expect(parts.told.events.at(-1)).toBe('undeclared');
    },
  );

  test('a missed stream without its account stays open: its ledger would contradict the records', async () => {
    const { session } = await begun({
      cause: 'owner_lost',
      row: { ...ROW, runEpoch: 1 },
      epoch: 2,
    });
    parts.events.fate = 'stalled';
    session.stop();
    parts.deadline.signalled(() => {});
    await vi.advanceTimersByTimeAsync(1_000 + 6_000);
    expect(await session.result).toMatchObject({ kind: 'unrecorded', of: { kind: 'missed' } });
  });

  test('a revocation that was dropped with the rest is told once more', async () => {
    const { session, client } = await streaming();
    parts.events.fate = 'stalled';
    client.emit('ended', { cause: 'stopped', stopReason: 8, restartable: false });
    parts.deadline.signalled(() => {});
    await vi.advanceTimersByTimeAsync(999);
    parts.events.fate = 'written';
    await vi.advanceTimersByTimeAsync(1);
    expect(await session.result).toMatchObject({ kind: 'ended', reason: 8 });
    expect(parts.eventNames.filter((name) => name === 'session_revoked')).toHaveLength(2);
  });

  test('a session that is told to end later does not wait at all', async () => {
    const { session, client } = await streaming();
    client.emit('frame', FRAME);
    parts.media.fate = 'stalled';
    parts.deadline.signalled(() => {});
    parts.deadline.signalled(() => {});
    session.handOver('shutdown');
    expect(await session.result).toMatchObject({ kind: 'handed_over' });
    expect(ledgerOf('audio')).toMatchObject({ written: 0, lost: 1 });
  });
});
