import { beforeEach, describe, expect, test } from 'vitest';
import type { MediaType } from '../../../rtms/protocol/media-type.ts';
import { MemoryPool } from '../../../shared/memory-pool.ts';
import { NO_METRICS } from '../../../shared/metrics.ts';
import { MemorySink } from '../../../test/support/session/memory-sink.ts';
import type { PreviousOwner } from './blind-time.ts';
import { SessionWriter } from './session-writer.ts';
import { FrameUnits } from './source-writer.ts';
import { TakeoverEvent } from './takeover-event.ts';

const SEEN_MS = 1_800_000_000_000;
const CLAIMED_MS = SEEN_MS + 15_000;
const RUN_MS = SEEN_MS - 600_000;

let events: MemorySink;

function takeoverOf(
  cause: 'owner_lost' | 'restarted' | undefined,
  previous: PreviousOwner = { seenAtMs: SEEN_MS },
): TakeoverEvent {
  const writer = new SessionWriter({
    origin: { rtmsStreamId: 's', epoch: 2, product: 'meeting', entityId: 'e' },
    media: new MemorySink(),
    events,
    maxRecordBytes: 1_000,
    maxLineBytes: 2_000,
    metrics: NO_METRICS,
    rest: { heldMs: 0 },
    units: new FrameUnits(new MemoryPool()),
    mayWrite: () => true,
  });
  const row = { pk: 'SESSION#s', rtmsStreamId: 's' };
  const claim = { row, epoch: 2, cause, previous, holds: () => true };
  const mediaTypes: readonly MediaType[] = ['audio', 'transcript'];
  return new TakeoverEvent(claim, writer, () => ({
    startEventTsMs: RUN_MS,
    mediaTypes,
  }));
}

beforeEach(() => {
  events = new MemorySink();
});

/** Names without what is around them, with what each event calls blind. */
const told = () =>
  events.lines.map(({ type, data }) => [type.replace(/^rtms\.|\.v1$/g, ''), data['blind']]);
const blind = (mediaType: MediaType, fromMs: number, toMs: number) => ({ mediaType, fromMs, toMs });

describe('the first connection of an epoch', () => {
  test.each<[string, number, readonly object[] | undefined]>([
    // The start of the flow tells it of other media.
    ['while Zoom keeps the audio', CLAIMED_MS + 45_000, undefined],
    [
      'when Zoom has thrown audio away',
      CLAIMED_MS + 82_000,
      [blind('audio', SEEN_MS, CLAIMED_MS + 22_000)],
    ],
  ])('comes %s after the change of owner had to be told', (_, flowsMs, rest) => {
    const takeover = takeoverOf('owner_lost');
    // As when a participant joins while Zoom refuses media connections.
    takeover.write(CLAIMED_MS);
    takeover.write(flowsMs);
    takeover.flowing(flowsMs);
    const first = ['session_taken_over', [blind('transcript', SEEN_MS, CLAIMED_MS)]];
    expect(told()).toEqual(rest === undefined ? [first] : [first, ['session_reconnected', rest]]);
  });

  test('says it all in one event when nothing had to be told before', () => {
    const takeover = takeoverOf('owner_lost');
    takeover.write(CLAIMED_MS + 82_000);
    takeover.flowing(CLAIMED_MS + 82_000);
    expect(told().map(([name]) => name)).toEqual(['session_taken_over']);
  });

  test('of a stream that had no owner before says nothing', () => {
    const takeover = takeoverOf(undefined);
    takeover.write(CLAIMED_MS);
    takeover.flowing(CLAIMED_MS + 82_000);
    expect(told()).toEqual([]);
  });
});

test.each<[string, Parameters<typeof takeoverOf>, number]>([
  ['since an owner before received it', ['owner_lost'], SEEN_MS],
  ['since the run began, of which there was no owner', [undefined], RUN_MS],
  [
    'since the run began, where an owner before had another one',
    ['restarted', { seenAtMs: SEEN_MS, endedReason: 13 }],
    RUN_MS,
  ],
  ['since the run began, where nothing tells who had it', ['owner_lost', {}], RUN_MS],
])('Zoom keeps audio for whoever connects %s', (_since, claim, sinceMs) => {
  expect(takeoverOf(...claim).audioKeptSinceMs).toBe(sinceMs);
});
