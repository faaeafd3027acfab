import type { MediaType } from '../../../rtms/protocol/media-type.ts';
import { isRestartable } from '../../../rtms/protocol/stop-reason.ts';
import type { BlindTime } from '../../../shared/record/event-data.ts';
import type { TakeoverCause } from '../../../shared/record/session-causes.ts';
import type { EndedReason } from '../../../shared/session-table/runner-writes.ts';
import type { SessionRow, TaskRow } from '../../../shared/session-table/session-row.ts';

/** Zoom keeps this much audio for a stream that nobody is connected to, and nothing of all other media. */
const ZOOM_AUDIO_BUFFER_MS = 60_000;

/**
 * What an owner that dies had received shortly before its last heartbeat may not have reached Kinesis: a flush
 * (200 ms) and a call. Without this the blind time would begin too late by that much.
 */
const UNWRITTEN_MS = 1_000;

/** What the table knew of the owner before, read before its row was claimed. */
export interface PreviousOwner {
  /** The last moment at which it is known to have been at work, Unix ms; absent when nothing tells. */
  readonly seenAtMs?: number;
  /** Why the run before this one ended; absent while it had not. */
  readonly endedReason?: EndedReason;
}

/** @param task the heartbeat row of the owner that is gone; undefined when it is not there any more */
export function previousOwner(seen: SessionRow, task: TaskRow | undefined): PreviousOwner {
  const { endedReason, handedOverBy, handedOverAtMs, endedAtMs, claimedAtMs } = seen;
  const heartbeatMs = task?.renewedAtMs === undefined ? undefined : task.renewedAtMs - UNWRITTEN_MS;
  const isOver = endedReason !== undefined;
  // An owner whose heartbeat is older than its claim was at work when it claimed.
  const aliveMs = Math.max(heartbeatMs ?? 0, claimedAtMs ?? 0) || undefined;
  const seenAtMs = isOver ? endedAtMs : handedOverBy === undefined ? aliveMs : handedOverAtMs;
  const known = seenAtMs ?? claimedAtMs;
  return {
    ...(known !== undefined && { seenAtMs: known }),
    ...(isOver && { endedReason }),
  };
}

export interface Takeover {
  readonly cause: TakeoverCause;
  readonly previous: PreviousOwner;
  /** What Zoom agreed to send, or what was asked for when there was no handshake. */
  readonly mediaTypes: readonly MediaType[];
  /** Zoom's start of the run that is served now: Zoom keeps audio from then on. */
  readonly startEventTsMs: number;
}

/**
 * The times in which a stream ran and nobody received it, around a change of its owner. An outer bound: the owner
 * before was at work until `fromMs` at least, and media flows again from `toMs` on.
 */
export function blindOfTakeover(takeover: Takeover, nowMs: number): BlindTime[] {
  const { cause, previous, mediaTypes, startEventTsMs } = takeover;
  const { seenAtMs, endedReason } = previous;
  if (seenAtMs === undefined) return [];
  if (cause === 'restarted' && !wasCutShort(endedReason)) return [];
  const keptFromMs = nowMs - ZOOM_AUDIO_BUFFER_MS;
  const audioToMs = cause === 'restarted' ? Math.max(startEventTsMs, keptFromMs) : keptFromMs;
  return spans(mediaTypes, seenAtMs, nowMs, audioToMs);
}

/** @param scope what was broken: `signaling` takes every media connection along */
export function blindOfReconnect(
  scope: 'signaling' | MediaType,
  durationMs: number,
  mediaTypes: readonly MediaType[],
  nowMs: number,
): BlindTime[] {
  const broken = scope === 'signaling' ? mediaTypes : [scope];
  return spans(broken, nowMs - durationMs, nowMs, nowMs - ZOOM_AUDIO_BUFFER_MS);
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
