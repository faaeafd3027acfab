import type { Loss, Verdict } from '../../sdk/consumer/index.ts';
import { describeLoss, describeLosses, sourceKey } from '../../sdk/consumer/index.ts';
import { stateOf } from '../../shared/session-table/session-status.ts';
import { adviceFor } from './explanation-advice.ts';
import { type Step, stepsOf } from './explanation-steps.ts';
import type { MeetingEvidence } from './meeting-evidence.ts';
import type { RecordedMedia } from './recorded-media.ts';

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

/** Tells a meeting from everything that is known of it. Pure. */
export function explain(meeting: MeetingEvidence, nowMs: number): Explanation {
  const { streams, report, recorded } = meeting;
  const { row } = streams.at(-1) ?? {};
  const first = streams.flatMap(({ events }) => events)[0];
  const isLive = row !== undefined && ['serving', 'waiting'].includes(stateOf(row, nowMs));
  return {
    product: row?.product ?? first?.product,
    entityId: row?.entityId ?? first?.entityId,
    meetingId: row?.meetingId ?? row?.webinarId,
    topic: row?.topic,
    verdict: report.verdict,
    summary: summaryOf(meeting, isLive),
    streams: streams.map((stream) => ({
      rtmsStreamId: stream.rtmsStreamId,
      state: stream.row === undefined ? 'not in the table any more' : stateOf(stream.row, nowMs),
      continues: stream.row?.continues?.rtmsStreamId,
    })),
    steps: streams.flatMap((stream) => stepsOf(stream, nowMs)).sort((a, b) => a.atMs - b.atMs),
    recorded,
    missing: [...told(report.losses), ...report.problems],
    advice: adviceFor(meeting, { isLive, entityId: row?.entityId, nowMs }),
  };
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
      // A sentence begins with what it is about.
      const nouns = group.slice(1).map((loss) => describeLoss(loss).split(' ')[0]);
      return [[...nouns, describeLoss(first)].join(', ')];
    });
}

const isPicture = (mediaType: string) => !['transcript', 'chat', 'events'].includes(mediaType);

function summaryOf({ streams, report, recorded }: MeetingEvidence, isLive: boolean): string {
  const { verdict, losses, revoked } = report;
  const count = streams.length === 1 ? '' : `, in ${streams.length} streams`;
  const soFar = isLive ? ' so far; it still runs' : '';
  if (revoked.length > 0) return `Zoom took the consent back${soFar}.`;
  if (verdict === 'contradictory')
    return `Recorded${count}, and something is missing that nothing explains${soFar}.`;
  if (recorded.length === 0 && !isLive) return `Not recorded at all${count}.`;
  if (recorded.length === 0) return 'Nothing is recorded yet.';
  if (verdict === 'complete') return `Recorded whole${count}${soFar}.`;
  return `Recorded in part${count}: ${describeLosses(losses)}${soFar}.`;
}
