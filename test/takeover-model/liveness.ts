import type { FairStep, StateGraph } from './search.ts';

export interface LivenessResult {
  /** The way to a state from which the region need never be left; undefined where there is none. */
  readonly stuck: readonly string[] | undefined;
  /** After how many ticks the region is left at the latest, once nothing fails any more. */
  readonly maxTicks: number;
}

/**
 * Can a healthy system stay in a region for ever? Faults have ended, and time goes on only when no healthy task has a step
 * left. So a cycle inside the region through a tick is a schedule in which everybody does what they can and the region is
 * never left. A cycle without a tick is one only if everything in it had to be done: what nobody has to do takes time.
 *
 * Cycles are found as strongly connected components (Tarjan 1972, without recursion). Components come out in the order in
 * which the longest way out can be counted.
 */
export function leaves(
  graph: StateGraph,
  isInside: (state: Uint8Array) => boolean,
): LivenessResult {
  const { count } = graph;
  const inside = new Uint8Array(count);
  for (let id = 0; id < count; id++) inside[id] = isInside(graph.state(id)) ? 1 : 0;
  const stepsOf = (id: number) =>
    graph.fairSteps(id).filter(({ to }) => to < count && inside[to] === 1);
  const index = new Int32Array(count).fill(-1);
  const low = new Int32Array(count);
  const component = new Int32Array(count).fill(-1);
  const longest: number[] = [];
  const open: number[] = [];
  let found = 0;
  let stuck: number | undefined;

  const close = (root: number) => {
    const members = open.splice(open.lastIndexOf(root));
    const own = longest.length;
    for (const id of members) component[id] = own;
    const steps = members.flatMap(stepsOf);
    const within = steps.filter(({ to }) => component[to] === own);
    const isForced = within.length > 0 && within.every(({ kind }) => kind === 'step');
    if (isForced || within.some(({ kind }) => kind === 'tick')) stuck ??= root;
    const ticks = steps
      .filter(({ to }) => component[to] !== own)
      .map(
        ({ to, kind }) => (longest[component[to] as number] as number) + (kind === 'tick' ? 1 : 0),
      );
    longest.push(ticks.reduce((most, each) => Math.max(most, each), 0));
  };

  for (let root = 0; root < count && stuck === undefined; root++) {
    if (inside[root] === 0 || index[root] !== -1) continue;
    const path: { readonly id: number; readonly steps: readonly FairStep[]; at: number }[] = [];
    const enter = (id: number) => {
      index[id] = found;
      low[id] = found;
      found += 1;
      open.push(id);
      path.push({ id, steps: stepsOf(id), at: 0 });
    };
    enter(root);
    for (let here = path.at(-1); here !== undefined; here = path.at(-1)) {
      const { id, steps } = here;
      const step = steps[here.at];
      here.at += 1;
      if (step !== undefined) {
        const { to } = step;
        if (index[to] === -1) enter(to);
        else if (component[to] === -1) low[id] = Math.min(low[id] as number, index[to] as number);
        continue;
      }
      path.pop();
      const before = path.at(-1)?.id;
      if (before !== undefined) low[before] = Math.min(low[before] as number, low[id] as number);
      if (low[id] === index[id]) close(id);
    }
  }
  const maxTicks = longest.reduce((most, each) => Math.max(most, each), 0);
  return { stuck: stuck === undefined ? undefined : graph.wayTo(stuck), maxTicks };
}
