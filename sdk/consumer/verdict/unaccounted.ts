import { accountedBy, type Span } from './accounted.ts';
import type { EpochEvidence } from './epoch-evidence.ts';
import { AUDIO_KEPT_MS, provenUntilMs, seenAtMs } from './heartbeat.ts';
import { endedAtMs, isOneMissing, type Run } from './run.ts';

/** Capture times jitter by this much. Less between two frames is no gap. */
const CAPTURE_JITTER_MS = 30;

/** A time for which no owner accounts. */
export interface Unaccounted extends Span {
  readonly mediaType: string;
  /** The owner that accounted for what came before it; absent before the first. */
  readonly before?: EpochEvidence;
  /** The one that accounts for what comes behind it, or with which the run ended. */
  readonly after: EpochEvidence;
  /** The owners that were lost meanwhile, and may have received something. */
  readonly lost: readonly Lost[];
}

interface Lost {
  /** Absent where it has left no record. */
  readonly owner?: EpochEvidence;
  /** The epochs after its own, in order. */
  readonly since: readonly EpochEvidence[];
}

/**
 * The times of a run for which nobody accounts. Each owner accounts for a part (`accountedBy`), and what lies between these parts is missing
 * unless something proves the opposite, whatever the owners between them did: were lost, wrote nothing, or were connected to nothing.
 *
 * ```
 * owner A   ├─ accounts ──┤ ··received, not known to be written··  lost
 * owner B                                                              lines of signaling ── killed
 * owner C                                                                                          ├─ accounts ─ ···
 * nobody                  ├───────────────────────────────────────────────────────────────────────┤
 * ```
 *
 * Before the first owner nothing is missing, unless others came before it and were lost, or left before Zoom had sent what it keeps: then it begins with the
 * first sign of the run. After the last one it goes on to the end of the stream.
 *
 * @returns the times in order, media types apart
 */
export function unaccounted(run: Run): Unaccounted[] {
  const blind = run.epochs.flatMap(({ life }) => life.takenOver?.data.blind ?? []);
  const types = new Set([
    ...run.epochs.flatMap(({ life }) => life.asked),
    ...blind.map(({ mediaType }) => mediaType as string),
    ...run.epochs.flatMap(({ edges }) => [...edges.keys()]),
  ]);
  return [...types].flatMap((mediaType) => restsOf(run, mediaType));
}

function restsOf({ epochs: run, isHeadless }: Run, mediaType: string): Unaccounted[] {
  const rests: Unaccounted[] = [];
  let accounted: EpochEvidence | undefined;
  let untilMs: number | undefined;
  let lost: Lost[] = isHeadless ? [{ since: run }] : [];
  const rest = (toMs: number, index: number, isEnd = false) => {
    const after = run[index] as EpochEvidence;
    const fromMs = untilMs ?? beganMs(run, index, lost, mediaType, isEnd);
    if (fromMs === undefined || toMs - fromMs <= CAPTURE_JITTER_MS) return;
    rests.push({ mediaType, fromMs, toMs, ...(accounted && { before: accounted }), after, lost });
  };
  for (const [index, owner] of run.entries()) {
    const since = run.slice(index + 1);
    const before = run[index - 1];
    if (before !== undefined && isOneMissing(before.epoch, owner))
      lost = [...lost, { since: run.slice(index) }];
    const span = accountedBy(owner, since, mediaType, lost.length > 0);
    if (span !== undefined) {
      rest(span.fromMs, index);
      if (untilMs === undefined || span.toMs >= untilMs) accounted = owner;
      untilMs = Math.max(untilMs ?? span.toMs, span.toMs);
      lost = [];
    }
    if (owner.end === 'open') lost = [...lost, { owner, since }];
  }
  // Who was lost may have held lines up to the end, which the next one tells by its own clock.
  const last = run.at(-1);
  const endMs = lost.length > 0 ? last?.life.toldEndAtMs : endedAtMs(run);
  if (last?.end === 'ended' && endMs !== undefined) rest(endMs, run.length - 1, true);
  return rests;
}

/**
 * Since when something may be missing for which no owner before accounts: those that were lost may have received everything since Zoom
 * announced the stream, and audio of a minute before that: the announcement may be late, and Zoom keeps so much. Zoom announces a stream again when it moves it to
 * other servers: then `requestedAtMs` may be later than what they received, and tells nothing where it is later than the last of them was at work. Then a
 * line that one of them wrote counts.
 *
 * @param index of the owner that accounts for what comes behind it, or with which the run ended
 * @returns Unix ms; undefined where nobody was lost
 */
function beganMs(
  run: readonly EpochEvidence[],
  index: number,
  lost: readonly Lost[],
  mediaType: string,
  isEnd: boolean,
): number | undefined {
  const keptMs = mediaType === 'audio' ? AUDIO_KEPT_MS : 0;
  const flowed = run.slice(0, index).find((owner) => owner.hasReceivedOf(mediaType));
  if (flowed !== undefined) {
    const { streamingAtMs, requestedAtMs = streamingAtMs } = flowed.life;
    if (streamingAtMs === undefined || requestedAtMs === undefined) return undefined;
    // Zoom still has what it kept for those that left in order, until the end.
    const isKept = lost.length === 0 && !isEnd;
    return Math.min(streamingAtMs, requestedAtMs) - (isKept ? 0 : keptMs);
  }
  const [first] = lost;
  const seenMs = first && seenAtMs(first.since);
  if (seenMs === undefined) return undefined;
  const proven = [
    provenUntilMs(first?.since ?? [], mediaType),
    // Lines of signaling show that there are none before them that were not written.
    first?.owner?.writtenUntilMs(mediaType),
  ].filter((ms) => ms !== undefined);
  const provenMs = proven.length === 0 ? undefined : Math.max(...proven);
  const signs = run.flatMap(({ life, firstLineMs }) => [life.requestedAtMs, firstLineMs]);
  const known = signs.filter((ms) => ms !== undefined && ms <= seenMs) as number[];
  if (known.length === 0) return provenMs ?? seenMs - keptMs;
  const signMs = Math.min(...known) - keptMs;
  return Math.max(signMs, provenMs ?? signMs);
}
