import { isPackingTime, type Packing } from '../../shared/packing.ts';
import { judgePacking, NO_PART, type PackingPart } from './packing-rules.ts';
import { roomOfTasks } from './placement.ts';
import { arrives, type MovableSessions, type MoverParts, mayMove } from './watch-move.ts';

/** Heartbeats report used slots this late; a session moved earlier would be placed without the last one in the rows. */
const BETWEEN_MOVES_MS = 10_000;
/** After a session that did not arrive where it was meant to, nothing is packed for this long. */
const PAUSE_MS = 600_000;

export interface PackerOptions extends MoverParts {
  readonly packing: Packing;
  readonly sessions: () => Omit<MovableSessions, 'nextToMove'>;
  /** Unix ms. @default Date.now */
  readonly clock?: () => number;
  /** @default 10 s */
  readonly betweenMovesMs?: number;
}

/**
 * Gives this task's sessions to fuller tasks in quiet hours, so that scale-in finds tasks without any: ECS does not stop
 * one that holds a session. The rules are in packing-rules.ts.
 *
 * One session at a time, only against room seen in live tasks, and watched until media flows, as in a deployment.
 */
export class Packer {
  readonly #options: PackerOptions;
  #notBeforeMs = 0;
  #pausedUntilMs = 0;

  constructor(options: PackerOptions) {
    this.#options = options;
  }

  /** Should the kept tasks take new streams? Only while they have shown room. */
  get yields(): boolean {
    const { empties, into } = this.#part();
    return empties && roomOfTasks(into, this.#options.sessionSlots) > 0;
  }

  /** Moves one session if this task is the one that gives now, and there is room for it. */
  async step(): Promise<void> {
    const {
      packing,
      sessionSlots,
      logger,
      metrics,
      betweenMovesMs = BETWEEN_MOVES_MS,
    } = this.#options;
    const sessions = this.#options.sessions();
    if (sessions.isDraining || performance.now() < this.#notBeforeMs) return;
    const { gives, into } = this.#part();
    if (!gives || roomOfTasks(into, sessionSlots) < 1) return;
    if (!mayMove(this.#options.backlogMs?.() ?? 0)) return;
    const session = sessions.nextToPack(packing.sessions);
    if (session === undefined) return;
    await sessions.giveAway(session, 'packing');
    const kept = new Set(into.map(({ taskId }) => taskId));
    const isMeant = (owner: string | undefined) => owner !== undefined && kept.has(owner);
    const fields = { rtmsStreamId: session.rtmsStreamId, epoch: session.epoch };
    if (await arrives(session, { ...this.#options, isMeant })) {
      this.#notBeforeMs = performance.now() + betweenMovesMs;
      logger.info('session packed', { event: 'packed', ...fields });
      return;
    }
    this.#pausedUntilMs = performance.now() + PAUSE_MS;
    metrics.count('HandBacks');
    logger.error('a session that was moved in a quiet hour did not arrive', {
      event: 'hand_over_failed',
      ...fields,
      waitMs: PAUSE_MS,
    });
  }

  #part(): PackingPart {
    const { packing, taskId, tasks, clock = Date.now } = this.#options;
    // What did not arrive tells against the tasks that it was meant for: meanwhile new streams are taken here, too.
    if (performance.now() < this.#pausedUntilMs) return NO_PART;
    if (!isPackingTime(packing, clock())) return NO_PART;
    const { belowPercent, keepTasks } = packing;
    return judgePacking({ taskId, tasks: tasks(), belowPercent, keepTasks });
  }
}
