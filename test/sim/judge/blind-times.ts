import type { HistoryEvent, Problem } from '../history.ts';
import {
  CLOCKS_MS,
  type Epoch,
  LONGEST_OUTAGE_MS,
  type Moment,
  OUTAGES,
  type Reception,
  type Receptions,
  receptionsOf,
  type Span,
} from './receptions.ts';

/** Does an outage of Kinesis begin with it that may last until then? @param atMs Unix ms */
export function mayLastUntil(event: HistoryEvent, atMs: number): boolean {
  if (event.kind !== 'fault' || !OUTAGES.has(event.fault)) return false;
  return event.atMs <= atMs && atMs <= event.atMs + LONGEST_OUTAGE_MS;
}

/**
 * Every time in which a stream ran and nobody was connected is named by the records: as blind time of a media type that Zoom
 * does not keep, by a connection that was interrupted and never came back, or as missed altogether. The audio of the stream
 * tells when it ran, also audio that Zoom kept and sent later.
 *
 * What comes before the first connection of a stream is no blind time, nor what comes before that of a run which begins after
 * somebody had ended the one before: its `session_started` says when it was asked for.
 */
export function judgeBlindTimes(history: readonly HistoryEvent[]): Problem[] {
  const world = receptionsOf(history);
  return [...world.streams].flatMap(([rtmsStreamId, stream]) => {
    const unnamed = uncovered(stream.ran, stream.named, stream).filter(
      ({ atMs }) => isDue(atMs, stream, world) && !isInterrupted(atMs, stream),
    );
    return problemOf(unnamed, 'blind', rtmsStreamId, 'record');
  });
}

/** Moments in which nobody was connected, that nobody wanted to end, and that are in no named time. */
export function uncovered(
  moments: readonly Moment[],
  named: readonly Span[],
  { connected, stoppedOnPurpose }: Reception,
): Moment[] {
  const spans = [...connected.values(), ...named, ...stoppedOnPurpose];
  return moments.filter(({ atMs }) => !spans.some((span) => covers(span, atMs)));
}

export function problemOf(
  unnamed: readonly Moment[],
  judge: string,
  rtmsStreamId: string,
  what: string,
): Problem[] {
  const [first, last] = [unnamed[0], unnamed.at(-1)];
  if (first === undefined || last === undefined) return [];
  const words = `nobody was connected to ${rtmsStreamId} from ${first.atMs} to ${last.atMs}, and no ${what} names ${unnamed.length} moments of that`;
  return [{ judge, step: first.step, words }];
}
/** Could a record name a moment? None does before the first reception, of a stream that was missed, or where lines are lost. */
export function isDue(atMs: number, stream: Reception, world: Receptions): boolean {
  const { deaths, outages } = world;
  const { claims, receivedFromMs, isMissed } = stream;
  if (isMissed || atMs <= receivedFromMs) return false;
  const at = ownerAt(atMs, stream);
  const owner = claims[at];
  if (owner === undefined) return true;
  const lostAtMs = Math.min(
    deaths.get(owner.process) ?? Number.POSITIVE_INFINITY,
    claims[at + 1]?.fromMs ?? Number.POSITIVE_INFINITY,
  );
  const linesLostMs = stream.linesLostFromMs.get(owner.epoch) ?? Number.POSITIVE_INFINITY;
  if (atMs >= linesLostMs - CLOCKS_MS) return false;
  const writtenMs = goesOnAt(owner.process, atMs, world);
  const isOutage = outages.some(
    (fromMs) => fromMs <= writtenMs && atMs <= fromMs + LONGEST_OUTAGE_MS,
  );
  return !(isOutage && wasInMemory(atMs, owner, lostAtMs, stream));
}

/** A process that stands still writes nothing of that time before it goes on. @returns `atMs` itself of one that does not */
function goesOnAt(process: string, atMs: number, { standstills }: Receptions): number {
  const spans = standstills.get(process) ?? [];
  return spans.find(({ fromMs, toMs }) => fromMs <= atMs && atMs <= toMs)?.toMs ?? atMs;
}

function ownerAt(atMs: number, { claims }: Reception): number {
  return claims.findLastIndex(({ fromMs }) => fromMs <= atMs);
}

/** Has the owner of that moment told an interruption, and no end of it? */
function isInterrupted(atMs: number, stream: Reception): boolean {
  const owner = stream.claims[ownerAt(atMs, stream)];
  return owner !== undefined && (stream.interrupted.get(owner.epoch)?.size ?? 0) > 0;
}

/**
 * An owner that lost the stream in an outage of Kinesis, without a last event, took lines with it. Readers know that
 * nothing is known between the last line of such an epoch and its end.
 */
function wasInMemory(
  atMs: number,
  { epoch, fromMs }: Epoch,
  lostAtMs: number,
  { accounted, lineAtMs }: Reception,
): boolean {
  if (accounted.has(epoch) || lostAtMs === Number.POSITIVE_INFINITY) return false;
  return atMs >= (lineAtMs.get(epoch) ?? fromMs) && atMs <= lostAtMs;
}

function covers({ fromMs, toMs }: Span, atMs: number): boolean {
  return fromMs - CLOCKS_MS <= atMs && atMs <= toMs + CLOCKS_MS;
}
