import type { MediaType } from '../../../rtms/protocol/media-type.ts';
import { isRestartable } from '../../../rtms/protocol/stop-reason.ts';
import type { BlindTime } from '../../../shared/record/event-data.ts';
import type { TakeoverCause } from '../../../shared/record/session-causes.ts';
import type { EndedReason } from '../../../shared/session-table/registers.ts';
import type { MoreOfClaim } from '../../../shared/session-table/runner-writes.ts';
import type { SessionRow, TaskRow } from '../../../shared/session-table/session-row.ts';

/** Zoom keeps this much audio for a stream that nobody is connected to, and nothing of all other media. */
const ZOOM_AUDIO_BUFFER_MS = 60_000;

/**
 * What an owner that dies had received shortly before its last heartbeat may not have reached Kinesis: a flush
 * (200 ms) and a call. Without this the blind time would begin too late by that much.
 */
const UNWRITTEN_MS = 1_000;

/** @param servedAtMs the last heartbeat that counts. @returns until when the records have what came in, Unix ms */
export function writtenUntil(servedAtMs: number): number {
  return servedAtMs - UNWRITTEN_MS;
}

/** What the table knew of those who had the stream before, read before its row was claimed. */
export interface PreviousOwner {
  /** The last moment at which somebody is known to have received the stream, Unix ms; absent when nothing tells. */
  readonly seenAtMs?: number;
  /** Everything that the one who received it then had received before this is written, Unix ms; absent when nothing tells. */
  readonly wroteUntilMs?: number;
  /** Why the run that was received then ended; absent where the same run goes on. */
  readonly endedReason?: EndedReason;
}

/**
 * Since when nobody is known to have received a stream:
 *
 * | what the row says of its last owner | since |
 * |---|---|
 * | no record tells of the change of owner before it | what its own claim has left in `blindSince`: the time of an owner before it, however many had the stream in between |
 * | its last event did not reach Kinesis | when it began to leave it; it has left that in `blindSince` |
 * | media has never flowed under it | its claim |
 * | it ended the run | when it began to leave it |
 * | it gave the stream away | when it began to leave it |
 * | it was lost | its last heartbeat that counts, less what it had not written |
 * | it was lost, and its process had begun after the claim | its claim: heartbeats of a process say nothing of what another one had |
 *
 * @param task the heartbeat row of the owner that is gone; undefined when it is not there any more
 */
export function previousOwner(seen: SessionRow, task: TaskRow | undefined): PreviousOwner {
  const { endedReason, epoch, blindSince } = seen;
  if (blindSince !== undefined && blindSince.epoch === epoch) {
    const { atMs: seenAtMs, wroteUntilMs, endedReason: before } = blindSince;
    const known = { seenAtMs, ...(wroteUntilMs !== undefined && { wroteUntilMs }) };
    if (before !== undefined) return { ...known, endedReason: before };
    // The last owner ended the run and left no record of it. So something is missing, whoever decided that it ends.
    if (endedReason !== undefined) return { ...known, endedReason: 'lost' };
    return known;
  }
  const seenAtMs = lastSeenMs(seen, task) ?? seen.claimedAtMs;
  const wroteUntilMs = wroteUntil(seen, task, seenAtMs);
  return {
    ...(seenAtMs !== undefined && { seenAtMs }),
    ...(wroteUntilMs !== undefined && { wroteUntilMs }),
    ...(endedReason !== undefined && { endedReason }),
  };
}

function wroteUntil(
  seen: SessionRow,
  task: TaskRow | undefined,
  seenAtMs: number | undefined,
): number | undefined {
  // An owner that ended in order has accounted for all that it received.
  if (seen.endedReason !== undefined || seen.handedOverBy !== undefined) return undefined;
  // And one under which media has never flowed has received nothing that it could have taken with it.
  const hasFlowed = seen.runEpoch === undefined || seen.connectedEpoch === seen.epoch;
  if (!hasFlowed) return seenAtMs;
  return isOfProcess(seen, task) ? task?.wroteUntilMs : undefined;
}

/** Is the heartbeat that of the process which had claimed the stream, and not of one that began later under the same name? */
function isOfProcess({ claimedAtMs }: SessionRow, task: TaskRow | undefined): boolean {
  return task?.startedAtMs === undefined || (claimedAtMs ?? 0) >= task.startedAtMs;
}

function lastSeenMs(seen: SessionRow, task: TaskRow | undefined): number | undefined {
  const { endedReason, handedOverBy, handedOverAtMs, endedAtMs, claimedAtMs } = seen;
  const { epoch, runEpoch, connectedEpoch } = seen;
  // A run that was missed from its beginning to its end has an event of its own about that.
  const isMissedRun = endedReason !== undefined && runEpoch === epoch;
  // Rows of an older release do not say.
  const neverFlowed = runEpoch !== undefined && connectedEpoch !== epoch;
  if (neverFlowed && !isMissedRun) return claimedAtMs;
  if (endedReason !== undefined) return endedAtMs;
  if (handedOverBy !== undefined) return handedOverAtMs;
  const { renewedAtMs } = task ?? {};
  const isKnown = renewedAtMs !== undefined && isOfProcess(seen, task);
  const heartbeatMs = isKnown ? writtenUntil(renewedAtMs) : 0;
  // An owner whose heartbeat is older than its claim was at work when it claimed.
  return Math.max(heartbeatMs, claimedAtMs ?? 0) || undefined;
}

/**
 * What a claim leaves in its row for the next one, should this owner die before its records tell of the blind time.
 *
 * @param cause why there is another epoch; undefined for the first, before which there was nobody
 */
export function blindSinceOf(
  cause: TakeoverCause | undefined,
  { seenAtMs: atMs, wroteUntilMs, endedReason }: PreviousOwner,
): MoreOfClaim['blindSince'] {
  if (cause === undefined || atMs === undefined) return undefined;
  const since = { atMs, ...(wroteUntilMs !== undefined && { wroteUntilMs }) };
  if (endedReason === undefined) return since;
  return wasCutShort(endedReason) ? { ...since, endedReason } : undefined;
}

/**
 * What an owner leaves in its row for the next one when its last event did not reach Kinesis.
 *
 * @param ending `carried`: what its own claim has left there; `tookOver`: the records tell that time already; `hasFlowed`: media
 *   has flowed under it; `atMs`: when it began to leave the stream, Unix ms
 * @returns undefined where the row stays as it is: the time of an owner before is the earlier one
 */
export function blindSinceOfOpen(ending: {
  readonly carried: SessionRow['blindSince'];
  readonly tookOver: boolean;
  readonly hasFlowed: boolean;
  readonly atMs: number;
}): MoreOfClaim['blindSince'] {
  const { carried, tookOver, hasFlowed, atMs } = ending;
  if (!hasFlowed || (carried !== undefined && !tookOver)) return undefined;
  return { atMs };
}

export interface Takeover {
  readonly previous: PreviousOwner;
  /** What Zoom agreed to send, or what was asked for when there was no handshake. */
  readonly mediaTypes: readonly MediaType[];
  /** Zoom's start of the run that is served now: Zoom keeps audio from then on. */
  readonly startEventTsMs: number;
}

/**
 * The times in which a stream ran and nobody received it, around a change of its owner. An outer bound: somebody
 * received it until `fromMs` at least, and media flows again from `toMs` on.
 */
export function blindOfTakeover(takeover: Takeover, nowMs: number): BlindTime[] {
  const { previous, mediaTypes, startEventTsMs } = takeover;
  const { seenAtMs, endedReason } = previous;
  if (seenAtMs === undefined) return [];
  const isOtherRun = endedReason !== undefined;
  if (isOtherRun && !wasCutShort(endedReason)) return [];
  const keptFromMs = nowMs - ZOOM_AUDIO_BUFFER_MS;
  const audioToMs = isOtherRun ? Math.max(startEventTsMs, keptFromMs) : keptFromMs;
  return spans(mediaTypes, seenAtMs, nowMs, audioToMs);
}

/**
 * The audio that Zoom has thrown away since {@link blindOfTakeover} was asked, at `toldMs`: media flows from `nowMs` on, and Zoom's
 * servers may refuse media connections for longer than Zoom keeps audio. Of other media the start of the flow tells it.
 */
export function audioLostSince(takeover: Takeover, toldMs: number, nowMs: number): BlindTime[] {
  const audioUntil = (ms: number) =>
    blindOfTakeover(takeover, ms).filter(({ mediaType }) => mediaType === 'audio');
  const [told] = audioUntil(toldMs);
  return audioUntil(nowMs)
    .map((blind) => ({ ...blind, fromMs: told?.toMs ?? blind.fromMs }))
    .filter(({ fromMs, toMs }) => toMs > fromMs);
}

/**
 * @param scope what was broken: `signaling` takes every media connection along
 * @param audioOwedSinceMs since when Zoom has kept audio for the session, Unix ms (`OwedAudio`)
 */
export function blindOfReconnect(
  scope: 'signaling' | MediaType,
  durationMs: number,
  mediaTypes: readonly MediaType[],
  nowMs: number,
  audioOwedSinceMs = nowMs - durationMs,
): BlindTime[] {
  const broken = scope === 'signaling' ? mediaTypes : [scope];
  const audioToMs = nowMs - ZOOM_AUDIO_BUFFER_MS;
  const isAudio = (mediaType: MediaType) => mediaType === 'audio';
  return [
    ...spans(broken.filter(isAudio), audioOwedSinceMs, nowMs, audioToMs),
    ...spans(
      broken.filter((mediaType) => !isAudio(mediaType)),
      nowMs - durationMs,
      nowMs,
      audioToMs,
    ),
  ];
}

function spans(
  mediaTypes: readonly MediaType[],
  fromMs: number,
  toMs: number,
  audioToMs: number,
): BlindTime[] {
  return mediaTypes
    .map((mediaType) => ({ mediaType, fromMs, toMs: mediaType === 'audio' ? audioToMs : toMs }))
    .filter((blind) => blind.toMs > blind.fromMs);
}

/** Did the meeting go on while nobody received it? After a stop that somebody decided it did not. */
export function wasCutShort(reason: EndedReason | undefined): boolean {
  return typeof reason === 'number' ? isRestartable(reason) : reason !== undefined;
}
