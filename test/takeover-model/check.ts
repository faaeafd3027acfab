import { type LivenessResult, leaves } from './liveness.ts';
import { type ModelRules, SHIPPED_RULES } from './rules.ts';
import { type SearchResult, search } from './search.ts';
import { type ModelOptions, ModelSteps } from './steps.ts';

/** What the model says of a set of rules. */
export interface CheckedModel {
  readonly search: SearchResult;
  /** A stream that its owner does not serve, while a healthy task could. Only of a search that was whole. */
  readonly waiting?: LivenessResult;
  /** A task that drains and is not silent. */
  readonly draining?: LivenessResult;
  /** In one line: what is broken or stuck; undefined for sound rules. */
  readonly fault: string | undefined;
}

/** Searches every order of the steps of some tasks, and then for schedules in which a healthy system gets nowhere. */
export function checkModel(
  options: ModelOptions,
  broken: Partial<ModelRules> = {},
  maxStates?: number,
): CheckedModel {
  const model = new ModelSteps(options, { ...SHIPPED_RULES, ...broken });
  const found = search(model, maxStates);
  if (found.broken !== undefined) return { search: found, fault: found.broken.what };
  if (!found.isWhole) return { search: found, fault: undefined };
  const any = (count: number, is: (at: number) => boolean) => {
    for (let at = 0; at < count; at++) if (is(at)) return true;
    return false;
  };
  const waiting = leaves(found.graph, (state) =>
    any(options.streams, (stream) => model.isWaiting(state, stream)),
  );
  const draining = leaves(found.graph, (state) =>
    any(options.tasks, (task) => model.isDraining(state, task)),
  );
  const faults = [
    ...(waiting.stuck === undefined ? [] : ['a stream waits for ever']),
    ...(draining.stuck === undefined ? [] : ['a drain never ends']),
  ];
  const fault = faults.length === 0 ? undefined : faults.join(', ');
  return { search: found, waiting, draining, fault };
}
