import { describeLoss, type Loss } from './loss.ts';

/**
 * What the two streams prove of a session, in one word:
 *
 * - `complete`: everything that Zoom had to send is there
 * - `incomplete`: something is lost or may be, and the streams themselves say what
 * - `contradictory`: frames or lines are missing and nothing explains them, or counts do not agree. This is a defect
 */
export type Verdict = 'complete' | 'incomplete' | 'contradictory';

/**
 * @param problems what nothing explains, one sentence each
 * @param losses what is lost or may be
 */
export function judge(problems: readonly string[], losses: readonly Loss[]): Verdict {
  if (problems.length > 0) return 'contradictory';
  return losses.length > 0 ? 'incomplete' : 'complete';
}

/** @returns everything that a person should read about a verdict, line by line. The last line has the word itself */
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
 * Tells known losses from possible ones: in a time in which nobody received a media type, nothing may have been sent.
 * Whoever has to answer for a recording must not take one for the other.
 */
export function describeLosses(losses: readonly Loss[]): string {
  const known = losses.filter(({ kind }) => kind === 'gap' || kind === 'missed').length;
  const possible = losses.length - known;
  const times = possible === 1 ? '1 time' : `${possible} times`;
  if (losses.length === 0) return 'nothing is lost';
  if (known === 0) return `nothing is known to be lost, but something may be in ${times}`;
  const lost = known === 1 ? '1 loss' : `${known} losses`;
  return possible === 0 ? lost : `${lost}, and ${times} in which more may be lost`;
}
