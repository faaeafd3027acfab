import type { LedgerReport, Loss, ReceivedEvent, Verdict } from '../../sdk/consumer/index.ts';
import { describeLoss, describeLosses, judge, sourceKey } from '../../sdk/consumer/index.ts';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import { stateOf } from '../deployment/session-status.ts';
import { adviceFor } from './explanation-advice.ts';
import { type Step, stepsOf } from './explanation-steps.ts';
import type { RecordedMedia } from './recorded-media.ts';

/** One stream of a meeting, as row and records tell of it. */
export interface StreamEvidence {
  readonly rtmsStreamId: string;
  /** Absent when the table does not have it any more. */
  readonly row: SessionRow | undefined;
  /** Without lines of text. */
  readonly events: readonly ReceivedEvent[];
  readonly report: LedgerReport;
}

/** What there is to say of a meeting. Times are Unix ms. */
export interface Explanation {
  readonly product: string | undefined;
  readonly entityId: string | undefined;
  readonly meetingId?: string | undefined;
  readonly topic?: string | undefined;
  readonly verdict: Verdict;
  /** One sentence. */
  readonly summary: string;
  readonly streams: readonly {
    readonly rtmsStreamId: string;
    readonly state: string;
    readonly continues?: string | undefined;
  }[];
  readonly steps: readonly Step[];
  readonly recorded: readonly RecordedMedia[];
  readonly missing: readonly string[];
  readonly advice: readonly string[];
}

/**
 * Tells a meeting from everything that is known of its streams. Pure.
 *
 * @param streams the oldest first
 */
export function explain(
  streams: readonly StreamEvidence[],
  recorded: readonly RecordedMedia[],
  nowMs: number,
): Explanation {
  const last = streams.at(-1);
  const { row } = last ?? {};
  const first = streams.flatMap(({ events }) => events)[0];
  const losses = streams.flatMap(({ report }) => report.losses);
  const problems = streams.flatMap(({ report }) => report.problems);
  const gaps = gapsBetween(streams);
  const isLive = row !== undefined && ['serving', 'waiting'].includes(stateOf(row, nowMs));
  const verdict = judge(problems, [...losses, ...gaps]);
  return {
    product: row?.product ?? first?.product,
    entityId: row?.entityId ?? first?.entityId,
    meetingId: row?.meetingId ?? row?.webinarId,
    topic: row?.topic,
    verdict,
    summary: summaryOf({ verdict, streams, recorded, isLive, losses: [...losses, ...gaps] }),
    streams: streams.map((stream) => ({
      rtmsStreamId: stream.rtmsStreamId,
      state: stream.row === undefined ? 'not in the table any more' : stateOf(stream.row, nowMs),
      continues: stream.row?.continues?.rtmsStreamId,
    })),
    steps: streams.flatMap((stream) => stepsOf(stream, nowMs)).sort((a, b) => a.atMs - b.atMs),
    recorded,
    missing: [...told([...gaps, ...losses]), ...problems],
    advice: adviceFor(streams, { isLive, entityId: row?.entityId, nowMs }),
  };
}

const BETWEEN = 'between streams';

/** From the end of a stream until media flowed in the one that continues it. */
function gapsBetween(streams: readonly StreamEvidence[]): Loss[] {
  return streams.flatMap(({ rtmsStreamId, row, events }) => {
    const before = streams.find((each) => each.rtmsStreamId === row?.continues?.rtmsStreamId);
    const end = before?.events.findLast(({ name }) => name === 'session_ended');
    const started = events.find(({ name }) => name === 'session_started');
    if (end === undefined || started?.name !== 'session_started') return [];
    const fromMs = end.time.getTime();
    const toMs = started.data.streamingAtMs;
    if (toMs <= fromMs) return [];
    const where = { rtmsStreamId, epoch: started.epoch, mediaType: 'events' } as const;
    return [{ ...where, kind: 'blind', cause: BETWEEN, fromMs, toMs } as const];
  });
}

/** One sentence for each time and cause: what broke for several media types at once is told once. */
function told(losses: readonly Loss[]): string[] {
  const groups = Map.groupBy(losses, ({ kind, cause, fromMs, toMs, count, mediaType, ...whose }) =>
    [kind, cause, fromMs, toMs, count, isPicture(mediaType), sourceKey(whose)].join(' '),
  );
  return [...groups.values()]
    .toSorted(([a], [b]) => (a?.fromMs ?? 0) - (b?.fromMs ?? 0))
    .flatMap((group) => {
      const [first] = group;
      if (first === undefined) return [];
      if (first.cause === BETWEEN) return [describeGap(first)];
      // A sentence begins with what it is about.
      const nouns = group.slice(1).map((loss) => describeLoss(loss).split(' ')[0]);
      return [[...nouns, describeLoss(first)].join(', ')];
    });
}

const isPicture = (mediaType: string) => !['transcript', 'chat', 'events'].includes(mediaType);

function describeGap({ fromMs, toMs }: Loss): string {
  const clock = (ms: number) => new Date(ms).toISOString().slice(11, 19);
  const seconds = ((toMs - fromMs) / 1000).toFixed(1);
  return `everything between ${clock(fromMs)} and ${clock(toMs)} (${seconds} s): Zoom had ended one stream and the next one had not begun`;
}

function summaryOf(facts: {
  readonly verdict: Verdict;
  readonly streams: readonly StreamEvidence[];
  readonly recorded: readonly RecordedMedia[];
  readonly isLive: boolean;
  readonly losses: readonly Loss[];
}): string {
  const { verdict, streams, recorded, isLive, losses } = facts;
  const count = streams.length === 1 ? '' : `, in ${streams.length} streams`;
  const soFar = isLive ? ' so far; it still runs' : '';
  const isRevoked = streams.some(({ report }) => report.revoked.length > 0);
  if (isRevoked) return `Zoom took the consent back${soFar}.`;
  if (verdict === 'contradictory')
    return `Recorded${count}, and something is missing that nothing explains${soFar}.`;
  if (recorded.length === 0 && !isLive) return `Not recorded at all${count}.`;
  if (recorded.length === 0) return 'Nothing is recorded yet.';
  if (verdict === 'complete') return `Recorded whole${count}${soFar}.`;
  return `Recorded in part${count}: ${describeLosses(losses)}${soFar}.`;
}
