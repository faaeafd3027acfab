import type { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { document, element, svgText } from './svg.ts';

/** One widget of a CloudWatch dashboard body; positions in grid cells. */
export interface Widget {
  readonly type: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly properties: {
    readonly title?: string;
    readonly view?: string;
    readonly markdown?: string;
    readonly metrics?: readonly (readonly unknown[])[];
    readonly alarms?: readonly unknown[];
    readonly stacked?: boolean;
  };
}

const COLUMN = 60;
const ROW = 46;
const GAP = 4;
const COLOURS = ['#1f77b4', '#ff7f0e', '#2ca02c', '#d62728', '#9467bd', '#8c564b', '#e377c2'];

/** A line of a graph, called by its label or else by its metric's name. */
interface Series {
  readonly label: string;
  readonly colour: string;
}

/** A stack's dashboard without the runbook, with `deployed` in the place of what only a deployment knows. */
export function widgetsOf(stack: Stack): Widget[] {
  const [dashboard] = Object.values(
    Template.fromStack(stack).findResources('AWS::CloudWatch::Dashboard'),
  );
  const body: unknown = dashboard?.['Properties']?.DashboardBody;
  const { widgets } = JSON.parse(joined(body)) as { widgets: Widget[] };
  return widgets.filter(({ properties }) => !isRunbook(properties.markdown));
}

/** Texts of the runbook have several lines; the headings between graphs have one. */
function isRunbook(markdown: string | undefined): boolean {
  return markdown?.includes('\n') === true;
}

/** `{"Fn::Join": ["", [text, {Ref: …}, …]]}` as text. */
function joined(body: unknown): string {
  if (typeof body === 'string') return body;
  const { 'Fn::Join': parts } = body as { 'Fn::Join': [string, unknown[]] };
  return parts[1].map((part) => (typeof part === 'string' ? part : 'deployed')).join(parts[0]);
}

/**
 * Draws the layout that CloudWatch would show, as SVG: every widget in its place with title and legend. The curves only
 * mark where lines will be; they stand for no data.
 */
export function drawDashboard(widgets: readonly Widget[]): string {
  const height = Math.max(...widgets.map(({ y, height }) => y + height)) * ROW;
  return document(24 * COLUMN, height, widgets.map(drawWidget));
}

function drawWidget(widget: Widget): string {
  const { properties } = widget;
  const box = {
    x: widget.x * COLUMN + GAP,
    y: widget.y * ROW + GAP,
    width: widget.width * COLUMN - 2 * GAP,
    height: widget.height * ROW - 2 * GAP,
  };
  if (widget.type === 'text') {
    const heading = (properties.markdown ?? '').replace(/^#+ /, '');
    return svgText(box.x + 4, box.y + 26, heading, { 'font-size': 18, 'font-weight': 'bold' });
  }
  const parts = [
    element('rect', { ...box, rx: 4, fill: '#ffffff', stroke: '#d5dbdb' }),
    svgText(box.x + 10, box.y + 20, properties.title ?? '', { 'font-weight': 'bold' }),
  ];
  if (widget.type === 'alarm') parts.push(drawAlarms(box, properties.alarms?.length ?? 0));
  else if (properties.view === 'singleValue') parts.push(drawValues(box, seriesOf(properties)));
  else parts.push(drawGraph(box, seriesOf(properties)));
  return parts.join('\n');
}

type Box = Readonly<Record<'x' | 'y' | 'width' | 'height', number>>;

function drawAlarms(box: Box, count: number): string {
  const perRow = Math.floor((box.width - 20) / 36);
  return Array.from({ length: count }, (_, index) =>
    element('rect', {
      x: box.x + 10 + (index % perRow) * 36,
      y: box.y + 36 + Math.floor(index / perRow) * 28,
      width: 30,
      height: 22,
      rx: 3,
      fill: '#b6dbb6',
    }),
  ).join('\n');
}

function drawValues(box: Box, series: readonly Series[]): string {
  const rowHeight = (box.height - 40) / series.length;
  return series
    .map(({ label, colour }, index) => {
      const y = box.y + 40 + rowHeight * (index + 0.5);
      return [
        svgText(box.x + 12, y + 8, '0', { 'font-size': 26, fill: colour }),
        svgText(box.x + 44, y + 6, label, { fill: '#545b64' }),
      ].join('\n');
    })
    .join('\n');
}

function drawGraph(box: Box, series: readonly Series[]): string {
  const legendRows = legend(series, box.width - 20);
  const plot = {
    x: box.x + 30,
    y: box.y + 34,
    width: box.width - 45,
    height: box.height - 50 - legendRows.length * 16,
  };
  const grid = [0, 0.5, 1].map((share) =>
    element('line', {
      x1: plot.x,
      x2: plot.x + plot.width,
      y1: plot.y + plot.height * share,
      y2: plot.y + plot.height * share,
      stroke: '#eaeded',
    }),
  );
  const curves = series.map(({ colour }, index) =>
    element('polyline', {
      points: curve(plot, index),
      fill: 'none',
      stroke: colour,
      'stroke-opacity': 0.5,
    }),
  );
  const names = legendRows.flatMap((row, index) => {
    const y = box.y + box.height - 8 - (legendRows.length - 1 - index) * 16;
    return row.map(({ x, label, colour }) =>
      [
        element('rect', { x: box.x + 10 + x, y: y - 9, width: 9, height: 9, fill: colour }),
        svgText(box.x + 23 + x, y, label, { 'font-size': 11 }),
      ].join('\n'),
    );
  });
  return [...grid, ...curves, ...names].join('\n');
}

/** Breaks the legend into rows that fit the width. A letter of this font takes 6 pixels at most. */
function legend(series: readonly Series[], width: number): (Series & { x: number })[][] {
  const rows: (Series & { x: number })[][] = [[]];
  let x = 0;
  for (const entry of series) {
    const entryWidth = entry.label.length * 6 + 26;
    if (x > 0 && x + entryWidth > width) {
      rows.push([]);
      x = 0;
    }
    rows.at(-1)?.push({ ...entry, x });
    x += entryWidth;
  }
  return rows;
}

function curve(plot: Box, index: number): string {
  return Array.from({ length: 25 }, (_, step) => {
    const wave = Math.sin(step / (2.5 + index) + index * 2) * 0.12;
    const level = 0.25 + ((index * 0.17) % 0.55);
    const x = plot.x + (plot.width * step) / 24;
    return `${x.toFixed(1)},${(plot.y + plot.height * (1 - level - wave)).toFixed(1)}`;
  }).join(' ');
}

/** The visible lines of a widget. Its metrics are `[namespace, name, dimensions…, {label}]` or `[{expression, label}]`. */
function seriesOf({ metrics = [] }: Widget['properties']): Series[] {
  const shown: Series[] = [];
  for (const entry of metrics) {
    const last = entry.at(-1);
    const options = (typeof last === 'object' && last !== null ? last : {}) as Record<
      string,
      unknown
    >;
    if (options['visible'] === false) continue;
    const name = typeof entry[1] === 'string' ? entry[1] : 'expression';
    const label = String(options['label'] ?? name).replace(
      / ?\$\{PROP\('Dim\.(\w+)'\)\}/,
      ' by $1',
    );
    const colour = options['color'] ?? COLOURS[shown.length % COLOURS.length];
    shown.push({ label, colour: String(colour) });
  }
  return shown;
}
