import type { MomentView } from '../views.ts';

/** A part of the timeline's bar that has a colour of its own. */
export interface TimelineSpan {
  readonly key: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly tone: 'warn' | 'bad' | 'takeover';
}

/** From the first event to the second one, nobody was connected to the meeting or Zoom sent nothing. */
const PAIRS: Readonly<Record<string, string>> = {
  session_interrupted: 'session_reconnected',
  session_paused: 'session_resumed',
};

/** The times in which something was not as it should be. What has no end yet lasts until `endMs`. */
export function spansOf(moments: readonly MomentView[], endMs: number): TimelineSpan[] {
  const spans: TimelineSpan[] = [];
  for (const [index, moment] of moments.entries()) {
    const end = PAIRS[moment.name];
    const key = `${moment.number}`;
    if (end !== undefined) {
      const over = moments
        .slice(index + 1)
        .find(
          ({ name, epoch }) => name === end || epoch > moment.epoch || name === 'session_ended',
        );
      spans.push({ key, fromMs: moment.atMs, toMs: over?.atMs ?? endMs, tone: 'warn' });
    }
    const { fromMs, toMs } = moment;
    if (fromMs !== undefined && toMs !== undefined) {
      const tone = moment.name === 'session_taken_over' ? 'takeover' : 'bad';
      spans.push({ key: `${key} lacking`, fromMs, toMs, tone });
    }
  }
  return spans;
}

/** Where a moment stands in a time, from 0 to 1. */
export function pieceAt(ms: number, startMs: number, endMs: number): number {
  if (endMs <= startMs) return 0;
  return Math.min(1, Math.max(0, (ms - startMs) / (endMs - startMs)));
}
