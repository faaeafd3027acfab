import { useLayoutEffect, useRef } from 'preact/hooks';
import type { LineView } from '../views.ts';
import { clockText, countText } from './format.ts';

/** More rows would make a long meeting slow to draw; the export has all of them. */
const MOST_SHOWN = 500;
const NEAR_END_PX = 60;
const HEAD_AFTER_MS = 10_000;

/** Transcript or chat. It follows the newest line, unless somebody has scrolled up to read. */
export function Lines({
  title,
  id,
  lines,
  dropped,
  empty,
}: {
  title: string;
  id: string;
  lines: readonly LineView[];
  dropped: number;
  empty: string;
}) {
  const box = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  useLayoutEffect(() => {
    const { current } = box;
    if (current !== null && follows.current) current.scrollTop = current.scrollHeight;
  }, [lines]);
  const shown = lines.slice(-MOST_SHOWN);
  const left = dropped + lines.length - shown.length;
  return (
    <section aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      <div
        class="lines"
        id={id}
        ref={box}
        role="log"
        aria-labelledby={`${id}-title`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached with the keyboard
        tabIndex={0}
        onScroll={({ currentTarget }) => {
          const { scrollHeight, scrollTop, clientHeight } = currentTarget;
          follows.current = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
        }}
      >
        {left > 0 && <p class="note">{countText(left)} earlier lines are in the export.</p>}
        {shown.length === 0 && <p class="note">{empty}</p>}
        {shown.map((line, index) => (
          <p key={line.number} class="line" data-number={line.number}>
            {isNewHead(shown[index - 1], line) && (
              <span class="line-head">
                <b class="line-who">{line.who}</b> <time>{clockText(line.atMs)}</time>
              </span>
            )}
            <span class="line-text">{line.text}</span>
            {line.operation !== undefined && line.operation !== 'NEW' && (
              <small class="line-operation"> {line.operation.toLowerCase()}</small>
            )}
          </p>
        ))}
      </div>
    </section>
  );
}

/** Whether a line is of another person than the one before, or came much later. */
function isNewHead(before: LineView | undefined, line: LineView): boolean {
  return before?.who !== line.who || line.atMs - before.atMs > HEAD_AFTER_MS;
}
