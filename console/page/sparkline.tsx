import type { Sparkline as Values } from '../views.ts';
import { bytesText } from './format.ts';

const WIDTH = 180;
const HEIGHT = 36;

/** The last 15 minutes of one value. Its newest value and its greatest stand beside it as text. */
export function Spark({ title, values: { values, unit } }: { title: string; values: Values }) {
  const known = values.filter((value) => value !== null);
  const most = Math.max(1, ...known);
  const step = WIDTH / Math.max(1, values.length - 1);
  const points = values.map((value, index) =>
    value === null
      ? undefined
      : `${(index * step).toFixed(1)},${(HEIGHT - 2 - (value / most) * (HEIGHT - 6)).toFixed(1)}`,
  );
  const text = (value: number) =>
    unit === 'B/s' ? `${bytesText(value)}/s` : `${Math.round(value)} ${unit}`;
  const newest = known.at(-1);
  const said = newest === undefined ? 'nothing yet' : `${text(newest)}, at most ${text(most)}`;
  return (
    <figure class="spark">
      <figcaption>
        <span>{title}</span> <b>{newest === undefined ? '–' : text(newest)}</b>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title}, last 15 minutes: ${said}`}
      >
        <line x1="0" y1={HEIGHT - 1} x2={WIDTH} y2={HEIGHT - 1} class="spark-base" />
        {segmentsOf(points).map((segment) => (
          <polyline key={segment[0]} points={segment.join(' ')} class="spark-line" />
        ))}
      </svg>
    </figure>
  );
}

/** Runs of points without a break: where nothing was read, no line is drawn. */
function segmentsOf(points: readonly (string | undefined)[]): string[][] {
  const segments: string[][] = [[]];
  for (const point of points) {
    if (point === undefined) segments.push([]);
    else segments.at(-1)?.push(point);
  }
  return segments
    .filter(({ length }) => length > 0)
    .map((segment) => (segment.length === 1 ? [...segment, ...segment] : segment));
}
