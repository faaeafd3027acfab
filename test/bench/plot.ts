import { document, element, svgText } from '../../infra/study/pictures/svg.ts';
import type { BuildName } from './ladder.ts';
import type { Curve, Point } from './summary.ts';

const COLOUR: Readonly<Record<BuildName, string>> = {
  runner: '#1f77b4',
  'runner-sdk': '#1f77b4',
  'put-batches': '#d62728',
  'put-aggregates': '#ff7f0e',
  'put-per-frame': '#9467bd',
  null: '#7f7f7f',
};
const WIDTH = 900;
const PANEL = { width: 400, height: 230, left: 52, gap: 56, top: 78 };

interface Axis {
  readonly title: string;
  readonly unit: string;
  readonly most: number;
  readonly value: (point: Point) => number | undefined;
}

/** Load against CPU and against p99, one line a build; an open circle where the build did not keep up. */
export function plot(title: string, curves: readonly Curve[]): string {
  const maxSessions = Math.max(...curves.flatMap(({ points }) => points.map((p) => p.sessions)));
  const axes: Axis[] = [
    { title: 'CPU, % of one core', unit: '%', most: 100, value: ({ load }) => 100 * load },
    {
      title: 'capture to acknowledgement, p99',
      unit: 'ms',
      most: 1_000,
      value: ({ p99Ms }) => p99Ms,
    },
  ];
  return document(WIDTH, PANEL.top + PANEL.height + 52, [
    svgText(16, 26, title, { 'font-size': 16, 'font-weight': 'bold' }),
    ...curves.map(({ build }, index) =>
      svgText(16 + index * 150, 48, `■ ${build === 'null' ? 'floor' : build}`, {
        fill: COLOUR[build],
      }),
    ),
    ...axes.map((axis, index) => {
      const left = PANEL.left + index * (PANEL.width + PANEL.gap - 12);
      return drawPanel(axis, left, maxSessions, curves);
    }),
  ]);
}

function drawPanel(
  axis: Axis,
  left: number,
  maxSessions: number,
  curves: readonly Curve[],
): string {
  const bottom = PANEL.top + PANEL.height;
  const right = left + PANEL.width - 24;
  const x = (sessions: number) => left + ((right - left) * sessions) / maxSessions;
  const y = (value: number) => bottom - (PANEL.height * Math.min(value, axis.most)) / axis.most;
  const grid = [0, 0.25, 0.5, 0.75, 1].flatMap((share) => [
    element('line', {
      x1: left,
      x2: right,
      y1: y(share * axis.most),
      y2: y(share * axis.most),
      stroke: '#e3e6e8',
    }),
    svgText(left - 6, y(share * axis.most) + 4, String(share * axis.most), {
      'text-anchor': 'end',
      fill: '#545b64',
      'font-size': 10,
    }),
    svgText(x(share * maxSessions), bottom + 16, String(Math.round(share * maxSessions)), {
      'text-anchor': 'middle',
      fill: '#545b64',
      'font-size': 10,
    }),
  ]);
  const lines = curves.flatMap(({ build, points }) => {
    const drawn = points.flatMap((point) => {
      const value = axis.value(point);
      return value === undefined ? [] : [{ point, at: [x(point.sessions), y(value)] as const }];
    });
    const path = drawn.map(({ at }) => at.map((n) => n.toFixed(1)).join()).join(' ');
    const marks = drawn.map(({ point, at }) =>
      element('circle', {
        cx: at[0],
        cy: at[1],
        r: 3,
        stroke: COLOUR[build],
        fill: point.sustained * 2 > point.rounds ? COLOUR[build] : '#ffffff',
      }),
    );
    return [
      element('polyline', {
        points: path,
        fill: 'none',
        stroke: COLOUR[build],
        'stroke-width': 1.5,
      }),
      ...marks,
    ];
  });
  return [
    svgText(left, PANEL.top - 10, `${axis.title} (${axis.unit})`, { 'font-weight': 'bold' }),
    ...grid,
    svgText((left + right) / 2, bottom + 32, 'sessions', {
      'text-anchor': 'middle',
      fill: '#545b64',
    }),
    ...lines,
  ].join('\n');
}
