import type { MomentView } from '../views.ts';
import { clockText, durationText } from './format.ts';
import { pieceAt, spansOf } from './timeline-spans.ts';

const MOST_LISTED = 200;
const LEGEND = [
  ['good', 'connected'],
  ['takeover', 'take-over'],
  ['warn', 'interruption'],
  ['bad', 'gap'],
] as const;

/** The life of a meeting: a bar in colour, and the same in words below it. */
export function Timeline({
  moments,
  startMs,
  endMs,
}: {
  moments: readonly MomentView[];
  startMs: number;
  endMs: number;
}) {
  const spans = spansOf(moments, endMs);
  const at = (ms: number) => `${(pieceAt(ms, startMs, endMs) * 100).toFixed(2)}%`;
  const width = (fromMs: number, toMs: number) =>
    `${((pieceAt(toMs, startMs, endMs) - pieceAt(fromMs, startMs, endMs)) * 100).toFixed(2)}%`;
  const takeovers = moments.filter(({ name }) => name === 'session_taken_over').length;
  const lacking = spans.filter(({ tone }) => tone !== 'takeover').length;
  return (
    <section aria-labelledby="timeline-title" class="timeline">
      <h2 id="timeline-title">Timeline</h2>
      <svg
        class="bar"
        role="img"
        aria-label={`${durationText(endMs - startMs)}, ${takeovers} take-overs, ${lacking} interruptions and gaps`}
      >
        <rect x="0" y="8" width="100%" height="16" rx="3" class="bar-base" />
        {spans.map(({ fromMs, toMs, tone, key }) => (
          <rect
            key={key}
            x={at(fromMs)}
            y="8"
            width={width(fromMs, toMs)}
            height="16"
            class={`span-${tone}`}
          />
        ))}
        {moments
          .filter(({ tone }) => tone !== 'plain')
          .map(({ number, atMs, tone }) => (
            <line
              key={number}
              x1={at(atMs)}
              x2={at(atMs)}
              y1="2"
              y2="30"
              class={`mark mark-${tone}`}
            />
          ))}
      </svg>
      <p class="scale">
        <span>{clockText(startMs)}</span>
        <span class="legend">
          {LEGEND.map(([key, words]) => (
            <span key={key} class="legend-item">
              <i class={`key key-${key}`} /> {words}
            </span>
          ))}
        </span>
        <span>{clockText(endMs)}</span>
      </p>
      <ol
        class="moments"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached with the keyboard
        tabIndex={0}
        aria-label="What happened, newest first"
      >
        {moments
          .slice(-MOST_LISTED)
          .toReversed()
          .map((moment) => (
            <li key={moment.number} class={`moment tone-${moment.tone}`}>
              <time>{clockText(moment.atMs)}</time> <span>{moment.text}</span>
              {moment.epoch > 1 && <small> epoch {moment.epoch}</small>}
            </li>
          ))}
      </ol>
    </section>
  );
}
