import { once } from 'node:events';
import { type CallFate, FaultPlan, type FaultScript, parseFaultScript } from './faults.ts';

/** Holds the fault script in force. POST, GET and DELETE on `/_faults` act on it. */
export class FaultSwitch {
  readonly #clock: () => number;
  #plan: FaultPlan;
  #ended = new AbortController();
  #holding = 0;

  constructor(clock: () => number) {
    this.#clock = clock;
    this.#plan = new FaultPlan({ rules: [] }, clock());
  }

  /** Replaces the script. Calls that the old one holds go on. @throws Error naming the first wrong field */
  set(script: FaultScript): void {
    const plan = new FaultPlan(parseFaultScript(script), this.#clock());
    this.#plan = plan;
    this.#ended.abort();
    this.#ended = new AbortController();
  }

  clear(): void {
    this.set({ rules: [] });
  }

  /** The script, how many calls each rule has matched, and how many calls are held now. */
  state(): { script: FaultScript; matched: readonly number[]; holding: number } {
    return { script: this.#plan.script, matched: this.#plan.matched, holding: this.#holding };
  }

  decide(call: { stream: string | undefined; operation: string }): CallFate {
    return this.#plan.decide(call, this.#clock());
  }

  /** Holds a call until the script is replaced or cleared, until `endsAtMs`, or until `gone` aborts. */
  async held(endsAtMs: number, gone: AbortSignal): Promise<void> {
    const leftMs = endsAtMs - this.#clock();
    const over = leftMs === Infinity ? [] : [AbortSignal.timeout(Math.max(0, Math.ceil(leftMs)))];
    const end = AbortSignal.any([this.#ended.signal, gone, ...over]);
    this.#holding += 1;
    if (!end.aborted) await once(end, 'abort');
    this.#holding -= 1;
  }
}
