import { isRestartable, STOP_REASON } from '../../rtms/protocol/stop-reason.ts';

type Random = () => number;

/** What Zoom does to a meeting of a restart storm beside ending its stream. */
export type Trouble =
  | 'none'
  /** The stopped webhook of the end never comes. */
  | 'stop_withheld'
  /** The started webhook of the stream that Zoom was asked for never comes. */
  | 'start_withheld'
  /** Zoom does not allow the restart. */
  | 'refused'
  /** The answer to the first request never comes, and nothing was done. */
  | 'unanswered';

export interface PlannedRestart {
  readonly startAtMs: number;
  /** From its start to the end of its stream. */
  readonly livesMs: number;
  readonly stopReason: number;
  readonly isTechnical: boolean;
  readonly trouble: Trouble;
}

export interface RestartStorm {
  readonly meetings: readonly PlannedRestart[];
  /** When a runner is killed, and which: uniform in [0, 1). */
  readonly kills: readonly { readonly atMs: number; readonly pick: number }[];
}

/**
 * Two kills are further apart than a takeover takes: a stream whose owners die twice just after the claim is quarantined,
 * which is another rule than the one that is tested here.
 */
const KILL_EVERY_MS = 14_000;

const REASONS = Object.values(STOP_REASON).filter((reason) => reason !== STOP_REASON.UNDEFINED);
// A refused signature has a test of its own: here every handshake is signed well.
const TECHNICAL = REASONS.filter(
  (reason) => isRestartable(reason) && reason !== STOP_REASON.AUTHENTICATION_FAILURE,
);
const DELIBERATE = REASONS.filter((reason) => !isRestartable(reason));

/** Plans a storm: 30 % technical ends; of these 10 % with a webhook withheld, 5 % refused, 5 % unanswered. */
export function planRestartStorm(count: number, stormMs: number, random: Random): RestartStorm {
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;
  const meetings = Array.from({ length: count }, (_, number): PlannedRestart => {
    const startAtMs = Math.floor(random() * stormMs * 0.5);
    const livesMs = 3_000 + Math.floor(random() * stormMs * 0.4);
    // By number, so that a short storm has each kind too.
    const isTechnical = number % 10 < 3;
    const stopReason = pick(isTechnical ? TECHNICAL : DELIBERATE);
    const trouble = isTechnical ? troubleOf(random(), number) : 'none';
    return { startAtMs, livesMs, stopReason, isTechnical, trouble };
  });
  const kills = Array.from({ length: Math.floor(stormMs / KILL_EVERY_MS) }, (_, number) => ({
    atMs: Math.floor((number + 0.5) * KILL_EVERY_MS),
    pick: random(),
  }));
  return { meetings, kills };
}

function troubleOf(draw: number, number: number): Trouble {
  if (number % 10 === 0 && number % 100 === 0) return 'start_withheld';
  if (draw < 0.05) return 'start_withheld';
  if (draw < 0.1) return 'stop_withheld';
  if (draw < 0.15) return 'refused';
  return draw < 0.2 ? 'unanswered' : 'none';
}
