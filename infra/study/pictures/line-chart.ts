import { document, element, svgText } from './svg.ts';

/** One curve of a chart. */
export interface Line {
  readonly label: string;
  readonly colour: string;
  /** One value per step; all lines of a chart have the same number of steps. */
  readonly values: readonly number[];
}

/** One plot of a chart; all plots share the time axis. */
export interface Panel {
  readonly title: string;
  readonly lines: readonly Line[];
  /** Drawn as a dashed line. */
  readonly limit?: { readonly value: number; readonly label: string };
}

const WIDTH = 900;
const PANEL_HEIGHT = 190;
const HEADER = 44;
const MARGIN = { left: 64, right: 20, top: 34, bottom: 28 };

/**
 * Draws panels below each other as SVG.
 *
 * @param minutes length of the time axis, with a label every 30
 */
export function drawChart(title: string, minutes: number, panels: readonly Panel[]): string {
  const height = HEADER + panels.length * PANEL_HEIGHT + 8;
  return document(WIDTH, height, [
    svgText(16, 28, title, { 'font-size': 17, 'font-weight': 'bold' }),
    ...panels.map((panel, index) => drawPanel(panel, HEADER + index * PANEL_HEIGHT, minutes)),
  ]);
}

function drawPanel({ title, lines, limit }: Panel, top: number, minutes: number): string {
  const plot = {
    x: MARGIN.left,
    y: top + MARGIN.top,
    width: WIDTH - MARGIN.left - MARGIN.right,
    height: PANEL_HEIGHT - MARGIN.top - MARGIN.bottom,
  };
  const most = niceCeiling(Math.max(limit?.value ?? 0, ...lines.flatMap(({ values }) => values)));
  const yOf = (value: number) => plot.y + plot.height * (1 - value / most);
  const grid = [0, 0.5, 1].flatMap((share) => [
    horizontal(plot, yOf(most * share), { stroke: '#e3e6e8' }),
    svgText(plot.x - 8, yOf(most * share) + 4, short(most * share), {
      'text-anchor': 'end',
      fill: '#545b64',
    }),
  ]);
  const ticks = Array.from({ length: Math.floor(minutes / 30) + 1 }, (_, index) => {
    const x = plot.x + (plot.width * index * 30) / minutes;
    return svgText(x, plot.y + plot.height + 16, `${index * 30} min`, {
      'text-anchor': 'middle',
      fill: '#545b64',
      'font-size': 10,
    });
  });
  const curves = lines.map(({ values, colour }) =>
    element('polyline', {
      points: values
        .map((value, index) => {
          const x = plot.x + (plot.width * index) / Math.max(1, values.length - 1);
          return `${x.toFixed(1)},${yOf(value).toFixed(1)}`;
        })
        .join(' '),
      fill: 'none',
      stroke: colour,
      'stroke-width': 1.5,
    }),
  );
  const mark =
    limit === undefined
      ? []
      : [
          horizontal(plot, yOf(limit.value), { stroke: '#d62728', 'stroke-dasharray': '5 4' }),
          svgText(plot.x + plot.width, yOf(limit.value) - 4, limit.label, {
            'text-anchor': 'end',
            fill: '#d62728',
            'font-size': 11,
          }),
        ];
  const names = lines.map(({ label, colour }, index) =>
    svgText(plot.x + 300 + index * 170, top + 22, `■ ${label}`, { fill: colour }),
  );
  return [
    svgText(16, top + 22, title, { 'font-weight': 'bold' }),
    ...grid,
    ...ticks,
    ...curves,
    ...mark,
    ...names,
  ].join('\n');
}

function horizontal(
  plot: { x: number; width: number },
  y: number,
  attributes: Record<string, string>,
): string {
  return element('line', { x1: plot.x, x2: plot.x + plot.width, y1: y, y2: y, ...attributes });
}

/** The next of 1, 2, 5, 10, 20, … */
function niceCeiling(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * ([1, 2, 5, 10].find((step) => step * power >= value) ?? 10);
}

function short(value: number): string {
  return value >= 10_000 ? `${value / 1000}k` : String(value);
}
