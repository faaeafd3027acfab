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
    incomplete: `incomplete${soFar}: ${losses.length === 1 ? '1 loss' : `${losses.length} losses`}, all of them named above`,
    contradictory: `contradictory${soFar}: ${problems.length} that nothing explains; please report this`,
  }[verdict];
  return [...losses.map(describeLoss), ...problems, last];
}
