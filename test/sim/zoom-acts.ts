import type { ActionInput } from '../../simulator/scenario/scenario.ts';
import type { TargetParts } from './targets.ts';

type Random = () => number;

/** Zoom's stop reasons from this one to 19 may be followed by a restart. */
const FIRST_TECHNICAL = 10;
/** What Zoom itself does to a stream, by how often. */
const ZOOM_ACTIONS: readonly ((random: Random) => ActionInput)[] = [
  (random) => ({
    do: 'failover',
    gapMs: Math.floor(random() * 8_000),
    oldSockets: random() < 0.5 ? 'cut' : 'keep',
  }),
  () => ({ do: 'evict' }),
  (random) => ({ do: 'cut_signaling', how: HOW[Math.floor(random() * 3)] ?? 'close' }),
  (random) => ({ do: 'cut_media', how: HOW[Math.floor(random() * 3)] ?? 'close' }),
  (random) => ({ do: 'stall_media', durationMs: Math.floor(random() * 8_000) }),
  () => ({ do: 'pause' }),
  () => ({ do: 'resume' }),
  (random) => ({ do: 'stop', reason: FIRST_TECHNICAL + Math.floor(random() * 10) }),
  (random) => ({ do: 'stop', reason: 1 + Math.floor(random() * 5) }),
];
const HOW = ['terminate', 'close', 'freeze'] as const;

const WEBHOOK_ACTIONS: readonly ActionInput[] = [
  { do: 'replay_webhook', kind: 'started' },
  { do: 'replay_webhook', kind: 'stopped' },
  { do: 'replay_webhook', kind: 'interrupted' },
];

/** So long, with some ten calls of the table in between, until a stream that has ended is asked for again. */
const SLOW_MS = 30_000;

/** What Zoom does by itself. */
export class ZoomActs {
  readonly #parts: TargetParts;

  constructor(parts: TargetParts) {
    this.#parts = parts;
  }

  any(random: Random): string | undefined {
    const action = ZOOM_ACTIONS[Math.floor(random() * ZOOM_ACTIONS.length)]?.(random);
    return action && this.#act(random, action);
  }

  webhooks(random: Random): string | undefined {
    if (random() < 0.4) {
      const holdMs = Math.floor(random() * 20_000);
      const words = this.#act(random, { do: 'hold_webhooks' });
      if (words === undefined) return undefined;
      this.#parts.scheduler.after(holdMs, undefined, () =>
        this.#act(random, { do: 'release_webhooks', reversed: random() < 0.5 }),
      );
      return `Zoom holds its webhooks for ${holdMs} ms`;
    }
    const action = WEBHOOK_ACTIONS[Math.floor(random() * WEBHOOK_ACTIONS.length)];
    return action && this.#act(random, action);
  }

  /** Somebody takes back their consent: Zoom ends the stream, and what is left of it may not be written. */
  revoke(random: Random): string | undefined {
    return this.#act(random, { do: 'revoke' });
  }

  /**
   * Zoom ends a stream for a reason after which it is asked for another one, while calls of the table are slow for all runners:
   * each of them has seen the row as it was when the first of them claims it.
   */
  slowRestart(random: Random, lateMs: number): string | undefined {
    const { runners, scheduler } = this.#parts;
    const reason = FIRST_TECHNICAL + Math.floor(random() * 8);
    const words = this.#act(random, { do: 'stop', reason });
    if (words === undefined) return undefined;
    const all = [...runners.live];
    for (const { machine } of all) machine.table.lateMs = lateMs;
    scheduler.after(SLOW_MS, undefined, () => {
      for (const { machine } of all) machine.table.lateMs = 0;
    });
    return `${words}, and calls of the table take ${Math.round(lateMs)} ms each way`;
  }

  #act(random: Random, action: ActionInput): string | undefined {
    const { zoom } = this.#parts;
    const live = zoom.simulator.streams().filter(({ state }) => state !== 'TERMINATED');
    const stream = live[Math.floor(random() * live.length)];
    if (stream === undefined) return undefined;
    const { rtmsStreamId } = stream;
    zoom.act((simulator) => simulator.act(rtmsStreamId, action));
    return `Zoom does ${JSON.stringify(action)} to ${rtmsStreamId}`;
  }
}
