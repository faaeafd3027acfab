import { FENCE_AFTER_MS } from '../../../runner/ownership/tenure.ts';
import { isReadable, parseSessionRow } from '../../../shared/session-table/parse-row.ts';
import { ATTRIBUTE, startOf, wantedState } from '../../../shared/session-table/session-row.ts';
import type { HistoryEvent, Problem, ProcessEvent, RowEvent, RowImage } from '../history.ts';

/** Bounds of a run, ms. */
export interface LivenessBounds {
  /** A wanted stream has an owner that runs again this long after it lost one, while somebody could have taken it. */
  readonly ownedWithinMs: number;
  /** Slots of one session. */
  readonly sessionSlots: number;
}

/**
 * A lost owner is found after 10 s, by a look every 3 s, and then there is a line; a lost job is found after 15 s. That is for one
 * owner: whoever claims the stream next and freezes at once has to be found as well, and the time begins anew with its claim.
 */
export const LIVENESS_BOUNDS: LivenessBounds = { ownedWithinMs: 30_000, sessionSlots: 1 };

/** How often all streams are looked at, ms of the history. A row that changes is looked at then. */
const LOOK_MS = 500;

interface Process {
  readonly process: string;
  taskId: string | undefined;
  isRunning: boolean;
  isDraining: boolean;
  /** Its memory or its event loop is over a limit: it refuses sessions meanwhile. */
  isStrained: boolean;
  freeSlots: number;
  /** The last heartbeat of which the process knows that it reached the table, Unix ms. */
  beatAtMs: number;
  /** Since when it could have taken a stream without interruption, Unix ms. */
  healthySinceMs: number | undefined;
}

interface Stream {
  readonly rtmsStreamId: string;
  /** What its row says. */
  isWanted: boolean;
  /** Zoom's webhook about a stop may be on its way to the row. */
  isStopped: boolean;
  owner: string | undefined;
  quarantinedUntilMs: number;
  /** Since when it is wanted and nobody that runs owns it, Unix ms. */
  sinceMs: number | undefined;
  isTold: boolean;
}

/**
 * Is every wanted stream owned again in time? Only a time counts in which one process with room, that neither drains nor
 * is frozen, reached the table throughout. Several that follow each other are not enough: each has to see for itself, for 10 s,
 * that the owner is dead.
 */
export function judgeLiveness(
  history: readonly HistoryEvent[],
  bounds: LivenessBounds = LIVENESS_BOUNDS,
): Problem[] {
  return new OwnershipWatch(bounds).judge(history);
}

class OwnershipWatch {
  readonly #bounds: LivenessBounds;
  readonly #processes = new Map<string, Process>();
  readonly #streams = new Map<string, Stream>();
  /** Those that their rows want. The others would be looked at for the rest of the run. */
  readonly #wanted = new Set<Stream>();
  readonly #problems: Problem[] = [];
  /** Since when one process could have taken a stream without interruption, Unix ms. */
  #healthySinceMs: number | undefined;

  constructor(bounds: LivenessBounds) {
    this.#bounds = bounds;
  }

  judge(history: readonly HistoryEvent[]): Problem[] {
    let lookedAtMs = Number.NEGATIVE_INFINITY;
    for (const event of history) {
      if (event.kind === 'process' || event.atMs - lookedAtMs >= LOOK_MS) {
        this.#look(event.step, event.atMs);
        lookedAtMs = event.atMs;
      }
      if (event.kind === 'process') this.#process(event);
      if (event.kind === 'stream') {
        this.#stream(event.rtmsStreamId).isStopped = event.what === 'stopped';
      }
      if (event.kind === 'row') this.#row(event);
    }
    return this.#problems;
  }

  #row({ row, phase, process, before, after, met, atMs }: RowEvent): void {
    if (row.startsWith('TASK#')) {
      const task = this.#of(process);
      if (phase === 'applied' && after !== undefined && row === after['pk']) {
        task.taskId = row.slice('TASK#'.length);
        task.freeSlots =
          Number(after[ATTRIBUTE.slotsTotal] ?? 0) - Number(after[ATTRIBUTE.slotsUsed] ?? 0);
        task.isDraining ||= after['draining'] === true;
        task.isStrained = after['strained'] === true;
      }
      if (phase === 'answered' && met === true) task.beatAtMs = atMs;
      return;
    }
    if (phase !== 'applied' || met !== true) return;
    const running = [...this.#processes.values()].filter(({ isRunning }) => isRunning);
    const stream = this.#stream(row.slice('SESSION#'.length));
    // Wanted from the moment at which the row says so: before it nobody of ours can know.
    stream.isWanted = isWantedRow(after);
    if (stream.isWanted) this.#wanted.add(stream);
    else this.#wanted.delete(stream);
    stream.owner = after?.['owner'] as string | undefined;
    stream.quarantinedUntilMs = Number(after?.['quarantinedUntilMs'] ?? 0);
    // Its process ran when it sent the claim. It may be frozen or dead when that arrives: then it was the owner for no time, and
    // the others learn of its death as of any other.
    if (Number(after?.['epoch'] ?? 0) > Number(before?.['epoch'] ?? 0)) stream.sinceMs = undefined;
    track(stream, new Set(running.map(({ taskId }) => taskId)), atMs);
  }

  #process({ process, what }: ProcessEvent): void {
    const found = this.#of(process);
    if (what === 'started' || what === 'ready' || what === 'thawed') found.isRunning = true;
    if (what === 'draining') found.isDraining = true;
    if (['frozen', 'killed', 'exited', 'crashed'].includes(what)) found.isRunning = false;
  }

  /** Everything as it was until now. */
  #look(step: number, nowMs: number): void {
    const running = [...this.#processes.values()].filter(({ isRunning }) => isRunning);
    this.#healthySinceMs = undefined;
    for (const process of this.#processes.values()) {
      const isHealthy = process.isRunning && this.#mayTake(process, nowMs);
      process.healthySinceMs = isHealthy ? (process.healthySinceMs ?? nowMs) : undefined;
      const sinceMs = process.healthySinceMs ?? Number.POSITIVE_INFINITY;
      if (sinceMs < (this.#healthySinceMs ?? Number.POSITIVE_INFINITY))
        this.#healthySinceMs = sinceMs;
    }
    const owners = new Set(running.map(({ taskId }) => taskId));
    for (const stream of this.#wanted) {
      track(stream, owners, nowMs);
      this.#judge(stream, step, nowMs);
    }
  }

  #judge(stream: Stream, step: number, nowMs: number): void {
    if (stream.sinceMs === undefined || this.#healthySinceMs === undefined || stream.isTold) return;
    const waitedMs = nowMs - Math.max(stream.sinceMs, this.#healthySinceMs);
    if (waitedMs <= this.#bounds.ownedWithinMs) return;
    stream.isTold = true;
    const words = `${stream.rtmsStreamId} is wanted, and for ${waitedMs} ms nobody that runs has owned it`;
    this.#problems.push({ judge: 'liveness', step, words });
  }

  #mayTake({ isDraining, isStrained, freeSlots, beatAtMs }: Process, nowMs: number): boolean {
    const hasRoom = freeSlots >= this.#bounds.sessionSlots;
    return !isDraining && !isStrained && hasRoom && nowMs - beatAtMs < FENCE_AFTER_MS;
  }

  #of(process: string): Process {
    let found = this.#processes.get(process);
    if (found === undefined) {
      const beatAtMs = Number.NEGATIVE_INFINITY;
      const none = { taskId: undefined, isDraining: false, isStrained: false, freeSlots: 0 };
      found = { process, isRunning: true, beatAtMs, healthySinceMs: undefined, ...none };
      this.#processes.set(process, found);
    }
    return found;
  }

  #stream(rtmsStreamId: string): Stream {
    let found = this.#streams.get(rtmsStreamId);
    if (found === undefined) {
      const none = { owner: undefined, quarantinedUntilMs: 0, sinceMs: undefined };
      found = { rtmsStreamId, isWanted: false, isStopped: false, isTold: false, ...none };
      this.#streams.set(rtmsStreamId, found);
    }
    return found;
  }
}

/** Takes in who runs now. @param owners tasks that run */
function track(stream: Stream, owners: ReadonlySet<string | undefined>, nowMs: number): void {
  const { owner, isWanted, isStopped, quarantinedUntilMs } = stream;
  const isOwned = owner !== undefined && owners.has(owner);
  const isWaiting = isWanted && !isStopped && !isOwned && nowMs >= quarantinedUntilMs;
  stream.sinceMs = isWaiting ? (stream.sinceMs ?? nowMs) : undefined;
  if (!isWaiting) stream.isTold = false;
}

/** Does a row ask for somebody who records the stream? */
function isWantedRow(image: RowImage): boolean {
  const row = image && parseSessionRow(image);
  if (row === undefined || !isReadable(row)) return false;
  return wantedState(row).state === 'started' && (startOf(row)?.serverUrls.length ?? 0) > 0;
}
