import * as v from 'valibot';
import { seededRandom } from '../../shared/seeded-random.ts';
import {
  API_ERROR_NAMES,
  type ApiErrorName,
  ENTRY_ERROR_NAMES,
  type EntryErrorName,
} from './api-error.ts';

const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const duration = v.pipe(v.number(), v.minValue(0));

const ruleSchema = v.strictObject({
  /** Name of the data stream. @default every stream, and calls that name none */
  stream: v.optional(v.string()),
  /** For example `PutRecords`. @default every operation */
  operation: v.optional(v.string()),
  /** Share of records that are refused one by one, by code. PutRecords itself succeeds, PutRecord fails. */
  entryErrors: v.optional(v.record(v.picklist(ENTRY_ERROR_NAMES), share)),
  /** Share of calls that are refused whole, by error. Nothing of them is applied. */
  errors: v.optional(v.record(v.picklist(API_ERROR_NAMES), share)),
  /** Delay before a call is applied, ms. The call is applied even when its client has timed out by then. */
  latencyMs: v.optional(duration),
  /** Random addition to `latencyMs`, from 0 to this, evenly spread. */
  jitterMs: v.optional(duration),
  /**
   * `hold`: calls wait unapplied until the script is cleared, replaced or over. Those whose client is still there are
   * served then. `refuse`: the connection is destroyed without an answer.
   */
  stall: v.optional(v.picklist(['hold', 'refuse'])),
  /** Share of calls that are applied, and whose connection is destroyed instead of answered. */
  dropAnswerShare: v.optional(share),
  /** How long the rule holds, from when the script is set, ms. @default until the script is cleared */
  durationMs: v.optional(duration),
});

const scriptSchema = v.strictObject({
  /** The same seed, with the same calls in the same order, gives the same faults. @default 1 */
  seed: v.optional(v.pipe(v.number(), v.integer()), 1),
  /** A call follows the first rule that matches it and is not over. */
  rules: v.array(ruleSchema),
});

export type FaultScript = v.InferInput<typeof scriptSchema>;
type FaultRule = v.InferOutput<typeof ruleSchema>;

/** @throws Error naming the first wrong field */
export function parseFaultScript(value: unknown): FaultScript {
  const result = v.safeParse(scriptSchema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new Error(`fault script: ${v.getDotPath(issue) ?? '(root)'}: ${issue.message}`);
}

/** What happens to one call. */
export interface CallFate {
  readonly stall?: 'hold' | 'refuse';
  /** When a hold ends by itself, Unix ms. */
  readonly endsAtMs: number;
  readonly latencyMs: number;
  readonly error?: ApiErrorName;
  readonly dropAnswer: boolean;
  /** Decides about the next record of the call. @returns the code to refuse it with, or undefined */
  entryError(): EntryErrorName | undefined;
}

const UNHARMED: CallFate = {
  endsAtMs: Infinity,
  latencyMs: 0,
  dropAnswer: false,
  entryError: () => undefined,
};

/** A fault script in force. It decides about each call from the seed alone. */
export class FaultPlan {
  readonly script: FaultScript;
  /** How many calls each rule has matched so far. */
  readonly matched: number[];
  readonly #rules: readonly (FaultRule & {
    readonly endsAtMs: number;
    readonly nextForCall: () => number;
    readonly nextForEntry: () => number;
  })[];

  constructor(script: FaultScript, nowMs: number) {
    this.script = script;
    this.matched = script.rules.map(() => 0);
    const seed = script.seed ?? 1;
    // Calls and entries have separate generators, so that a larger batch does not change the faults of later calls.
    this.#rules = script.rules.map((rule, index) => ({
      ...rule,
      endsAtMs: nowMs + (rule.durationMs ?? Infinity),
      nextForCall: seededRandom(seed + 2 * index),
      nextForEntry: seededRandom(seed + 2 * index + 1),
    }));
  }

  decide(call: { stream: string | undefined; operation: string }, nowMs: number): CallFate {
    const index = this.#rules.findIndex(
      (rule) =>
        nowMs < rule.endsAtMs &&
        (rule.stream === undefined || rule.stream === call.stream) &&
        (rule.operation === undefined || rule.operation === call.operation),
    );
    const rule = this.#rules[index];
    if (rule === undefined) return UNHARMED;
    this.matched[index] = (this.matched[index] ?? 0) + 1;
    // Every call draws all three numbers, so that another share of one fault does not move the other faults.
    const [jitter, error, drop] = [rule.nextForCall(), rule.nextForCall(), rule.nextForCall()];
    const errorName = pick(rule.errors, error);
    const { entryErrors } = rule;
    return {
      ...(rule.stall === undefined ? {} : { stall: rule.stall }),
      ...(errorName === undefined ? {} : { error: errorName }),
      endsAtMs: rule.endsAtMs,
      latencyMs: (rule.latencyMs ?? 0) + (rule.jitterMs ?? 0) * jitter,
      dropAnswer: drop < (rule.dropAnswerShare ?? 0),
      entryError: () =>
        entryErrors === undefined ? undefined : pick(entryErrors, rule.nextForEntry()),
    };
  }
}

/** @param draw from 0 up to 1; the shares lie one after another from 0 */
function pick<Name extends string>(
  shares: Partial<Record<Name, number>> | undefined,
  draw: number,
): Name | undefined {
  let sum = 0;
  for (const name in shares) {
    sum += shares[name] ?? 0;
    if (draw < sum) return name;
  }
  return undefined;
}
