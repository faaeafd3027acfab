import type { MediaType } from '../../../rtms/protocol/media-type.ts';
import { wantedState } from '../../../shared/session-table/session-row.ts';
import type { ClaimedRow } from '../context.ts';
import { audioLostSince, blindOfTakeover } from './blind-time.ts';
import type { SessionWriter } from './session-writer.ts';

/** What is known of the run that is served now, at the moment of asking. */
export interface ServedRun {
  readonly startEventTsMs: number;
  /** What Zoom agreed to send; before it did, what is asked for. */
  readonly mediaTypes: readonly MediaType[];
}

/** A stream that Zoom had stopped before it was claimed ran no longer than that. @returns Unix ms */
export function ranUntil(row: ClaimedRow['row'], nowMs: number): number {
  const { stopEventTsMs = 0 } = row;
  const isOver = wantedState(row).state === 'stopped' && stopEventTsMs > 0;
  return isOver ? Math.min(nowMs, stopEventTsMs) : nowMs;
}

/**
 * The event `session_taken_over`, first of all events of an epoch that had an owner before. It carries the time that
 * nobody saw, which is over once media flows or another event has to be written: so it waits for the first of these.
 */
export class TakeoverEvent {
  readonly #claim: ClaimedRow;
  readonly #writer: SessionWriter;
  readonly #run: () => ServedRun;
  /** When it was written, Unix ms. */
  #toldMs: number | undefined;

  constructor(claim: ClaimedRow, writer: SessionWriter, run: () => ServedRun) {
    this.#claim = claim;
    this.#writer = writer;
    this.#run = run;
  }

  /** Writes the event, once, if there was an owner before. @param nowMs Unix ms */
  write(nowMs: number): void {
    const { cause, epoch, previous = {}, row } = this.#claim;
    if (cause === undefined || this.#toldMs !== undefined) return;
    this.#toldMs = nowMs;
    const takeover = { previous, ...this.#run() };
    const blind = blindOfTakeover(takeover, ranUntil(row, nowMs));
    const { seenAtMs, wroteUntilMs } = previous;
    const seen = {
      ...(seenAtMs !== undefined && { ownerSeenAtMs: seenAtMs }),
      ...(wroteUntilMs !== undefined && { ownerWroteUntilMs: wroteUntilMs }),
    };
    const data = { previousEpoch: epoch - 1, cause, ...seen, blind };
    this.#writer.event('session_taken_over', nowMs, data);
  }

  /** Since when Zoom has kept audio that this session has to get when media flows, Unix ms. */
  get audioKeptSinceMs(): number {
    const { cause, previous = {} } = this.#claim;
    const { startEventTsMs } = this.#run();
    const isSameRun = cause !== undefined && previous.endedReason === undefined;
    return isSameRun ? (previous.seenAtMs ?? startEventTsMs) : startEventTsMs;
  }

  /** Media flows: `session_reconnected` tells what Zoom has not kept since the event had to be written. @param nowMs Unix ms */
  flowing(nowMs: number): void {
    const { cause, previous = {} } = this.#claim;
    const toldMs = this.#toldMs;
    if (cause === undefined || toldMs === undefined) return;
    const blind = audioLostSince({ previous, ...this.#run() }, toldMs, nowMs);
    if (blind.length === 0) return;
    const durationMs = nowMs - toldMs;
    const data = { scope: 'signaling', cause, attempt: 0, durationMs, blind } as const;
    this.#writer.event('session_reconnected', nowMs, data);
  }

  /** The session's writer for events that have to stand behind this one. */
  get behind(): Pick<SessionWriter, 'frame' | 'malformed' | 'event'> {
    const writer = this.#writer;
    return {
      frame: (frame, media) => writer.frame(frame, media),
      malformed: (lost) => writer.malformed(lost),
      event: (name, timeMs, data) => {
        this.write(Date.now());
        writer.event(name, timeMs, data);
      },
    };
  }
}
