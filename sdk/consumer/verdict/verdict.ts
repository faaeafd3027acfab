import { describeLoss, type Loss } from './loss.ts';

/**
 * What the two streams say of a session, in one word:
 *
 * - `complete`: whatever Zoom had to send is there
 * - `incomplete`: something is lost, and the streams themselves say what
 * - `contradictory`: frames or lines lack and nothing explains them, or counts do not agree: a defect
 */
export type Verdict = 'complete' | 'incomplete' | 'contradictory';

export function judge(problems: readonly string[], losses: readonly Loss[]): Verdict {
  if (problems.length > 0) return 'contradictory';
  return losses.length > 0 ? 'incomplete' : 'complete';
}

/** Everything a person should read about a verdict, the sentence that holds the word last. */
export function describeVerdict(report: {
  readonly verdict: Verdict;
  readonly losses: readonly Loss[];
  readonly problems: readonly string[];
  readonly isOpen: boolean;
}): string[] {
  const { verdict, losses, problems, isOpen } = report;
  const soFar = isOpen ? ' so far; the session still runs' : '';
  const last = {
    complete: `complete${soFar || ': everything is there'}`,
    incomplete: `incomplete${soFar}: ${describeLosses(losses)}; all named above`,
    contradictory: `contradictory${soFar}: ${problems.length} that nothing explains; please report this`,
  }[verdict];
  return [...losses.map(describeLoss), ...problems, last];
}

/**
 * What is known to be lost, and what may be: a time in which nobody received a media type can hold nothing at all. Who
 * has to answer for a recording must not take one for the other.
 */
export function describeLosses(losses: readonly Loss[]): string {
  const known = losses.filter(({ kind }) => kind === 'gap').length;
  const possible = losses.length - known;
  const times = possible === 1 ? '1 time' : `${possible} times`;
  if (losses.length === 0) return 'nothing is lost';
  if (known === 0) return `nothing is known to be lost, but something may be in ${times}`;
  const lost = known === 1 ? '1 loss' : `${known} losses`;
  return possible === 0 ? lost : `${lost}, and ${times} in which more may be lost`;
}
