import type { TakeoverCause } from '../../../shared/record/session-causes.ts';
import type { EpochEvidence } from './epoch-evidence.ts';

/** The epochs between the announcement of a stream and its end. */
export interface Run {
  /** Those that have records, in order. */
  readonly epochs: readonly EpochEvidence[];
  /** Were owners lost before the first of them that have left no record at all? */
  readonly isHeadless: boolean;
}

/** Another run begins after Zoom or an operator had ended the one before: nothing ran between them. @param epochs of a stream, in order */
export function runsOf(epochs: readonly EpochEvidence[]): Run[] {
  const runs: EpochEvidence[][] = [];
  for (const epoch of epochs) {
    const run = runs.at(-1);
    const isNext = run?.at(-1)?.end === 'ended' || takeoverCause(epoch) === 'restarted';
    if (run === undefined || isNext) runs.push([epoch]);
    else run.push(epoch);
  }
  return runs.map((run, index) => {
    const [first] = run;
    const lastEpoch = runs[index - 1]?.at(-1)?.epoch ?? 0;
    return { epochs: run, isHeadless: first !== undefined && isOneMissing(lastEpoch, first) };
  });
}

/** An epoch without any record had an owner too. @returns whether the one before an epoch was lost without leaving any */
export function isOneMissing(lastEpoch: number, epoch: EpochEvidence): boolean {
  return epoch.epoch > lastEpoch + 1 && takeoverCause(epoch) === 'owner_lost';
}

/** Why an epoch began. Where its own line is lost, nobody knows better than that the owner before it was lost. */
export function takeoverCause({ life }: EpochEvidence): TakeoverCause {
  return life.takenOver?.data.cause ?? 'owner_lost';
}

/**
 * When a run ended, Unix ms. Owners of older versions do not say it in `leftAtMs`: what they tell as blind time then ends
 * before its event is written, or there is none at all.
 */
export function endedAtMs(run: readonly EpochEvidence[]): number | undefined {
  const last = run.findLastIndex(({ hasReceived }) => hasReceived);
  const hasSeen = run[last]?.life.media.some((mediaType) => mediaType !== 'audio') === true;
  const endMs = run.at(-1)?.life.endedAtMs;
  for (const { takenOver } of run.slice(last + 1).map(({ life }) => life)) {
    const { blind, ownerSeenAtMs } = takenOver?.data ?? {};
    if (takenOver === undefined || blind === undefined) continue;
    const first = blind.find(({ mediaType }) => mediaType !== 'audio');
    const stoppedMs = first?.toMs ?? (hasSeen ? ownerSeenAtMs : undefined) ?? takenOver.atMs;
    if (stoppedMs < takenOver.atMs) return Math.min(endMs ?? stoppedMs, stoppedMs);
  }
  return endMs;
}
