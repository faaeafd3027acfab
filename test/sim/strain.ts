import type { SimulatedRunner } from './fleet/runners.ts';
import type { TargetParts } from './targets.ts';
import { drawOffset } from './world/machine.ts';

type Random = () => number;

/** One stall of a late event loop follows the other after this time on average. */
const PAUSE_MS = 200;
/** Of the memory that a runner may use: it refuses sessions from 85 % on. */
const MEMORY_BYTES = 0.9 * 4_096 * 1024 * 1024;

/** What makes a runner slow without stopping it. */
export class Strain {
  readonly #parts: TargetParts;

  constructor(parts: TargetParts) {
    this.#parts = parts;
  }

  /**
   * The event loop of a runner is late: again and again nothing of it runs for up to `mostMs`, and what was due comes all at
   * once after that. Its own measurement shows it.
   */
  lateLoop(random: Random, mostMs: number, durationMs: number): string | undefined {
    const { scheduler } = this.#parts;
    const runner = this.#runner(random);
    if (runner === undefined) return undefined;
    const { machine } = runner;
    const untilMs = scheduler.nowMs + durationMs;
    machine.loopDelayMs = mostMs;
    const next = () => {
      if (scheduler.nowMs >= untilMs || machine.state === 'dead') {
        machine.loopDelayMs = 0;
        return;
      }
      machine.stall(random() * mostMs);
      this.#after(random() * 2 * PAUSE_MS + mostMs, next);
    };
    next();
    return `the event loop of ${machine.name} is up to ${Math.round(mostMs)} ms late for ${Math.round(durationMs)} ms`;
  }

  /** The memory of a runner is nearly used up. */
  memory(random: Random, durationMs: number): string | undefined {
    const runner = this.#runner(random);
    if (runner === undefined) return undefined;
    const { machine } = runner;
    const before = machine.rssBytes;
    machine.rssBytes = MEMORY_BYTES;
    this.#after(durationMs, () => {
      machine.rssBytes = before;
    });
    return `${machine.name} has used up nine tenths of its memory for ${Math.round(durationMs)} ms`;
  }

  /** The clock of a runner is set: it jumps, and is off by as much as a clock may be. */
  setClock(random: Random): string | undefined {
    const runner = this.#runner(random);
    if (runner === undefined) return undefined;
    const { clock, name } = runner.machine;
    const before = clock.offsetMs;
    clock.offsetMs = drawOffset(random);
    return `the clock of ${name} jumps by ${clock.offsetMs - before} ms`;
  }

  #after(delayMs: number, run: () => void): void {
    this.#parts.scheduler.after(delayMs, undefined, run);
  }

  #runner(random: Random): SimulatedRunner | undefined {
    const ready = [...this.#parts.runners.live].filter(
      ({ isReady, isDraining, machine }) => isReady && !isDraining && machine.state === 'running',
    );
    return ready[Math.floor(random() * ready.length)];
  }
}
