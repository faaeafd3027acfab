import type { Stack } from './stacks.ts';

interface Node {
  readonly name: string;
  samples: number;
  readonly inner: Map<string, Node>;
}

const WIDTH = 1_200;
const ROW = 15;
const TITLE_ROWS = 2;
/** Narrower than that nobody can read, and the file would be ten times as long. */
const LEAST_SHARE = 0.004;
const LETTER = 6.1;

/** A flame graph as SVG: a frame is as wide as its share of the samples, what it calls stands above it, names in its tooltip. */
export function drawFlames(title: string, stacks: readonly Stack[]): string {
  const root: Node = { name: 'all', samples: stacks.length, inner: new Map() };
  for (const stack of stacks) add(root, stack);
  const rects: string[] = [];
  const depth = depthOf(root, root.samples);
  const height = (depth + TITLE_ROWS) * ROW;
  place(root, 0, 0, { total: root.samples, height, rects });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="10">`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    `<text x="4" y="14" font-size="12">${escaped(title)}: ${stacks.length} samples</text>`,
    ...rects,
    '</svg>\n',
  ].join('\n');
}

function add(root: Node, stack: Stack): void {
  let node = root;
  for (const name of stack) {
    const inner = node.inner.get(name) ?? { name, samples: 0, inner: new Map() };
    node.inner.set(name, inner);
    inner.samples += 1;
    node = inner;
  }
}

function isWide({ samples }: Node, total: number): boolean {
  return samples / total >= LEAST_SHARE;
}

function depthOf(node: Node, total: number): number {
  const depths = [...node.inner.values()].map((inner) =>
    isWide(inner, total) ? depthOf(inner, total) : 0,
  );
  return 1 + Math.max(0, ...depths);
}

interface Canvas {
  readonly total: number;
  readonly height: number;
  readonly rects: string[];
}

function place(node: Node, x: number, level: number, canvas: Canvas): void {
  const { total, height, rects } = canvas;
  const width = (node.samples / total) * WIDTH;
  const y = height - (level + 1) * ROW;
  const letters = Math.floor((width - 4) / LETTER);
  const label = letters < 3 ? '' : escaped(node.name.slice(0, letters));
  const share = ((100 * node.samples) / total).toFixed(1);
  const text = label && `<text x="${(x + 2).toFixed(1)}" y="${y + 11}">${label}</text>`;
  rects.push(
    `<g><title>${escaped(node.name)} ${share} %</title><rect x="${x.toFixed(1)}" y="${y}" width="${Math.max(0.5, width - 0.5).toFixed(1)}" height="14" fill="${colourOf(node.name)}"/>${text}</g>`,
  );
  let at = x;
  for (const inner of [...node.inner.values()].sort((a, b) => b.samples - a.samples)) {
    if (isWide(inner, total)) place(inner, at, level + 1, canvas);
    at += (inner.samples / total) * WIDTH;
  }
}

/** Kernel, our code, Node's code, and native code. */
function colourOf(name: string): string {
  if (name.includes('[kernel]')) return '#f2b48a';
  if (name.endsWith('.ts')) return '#9ccc8f';
  if (/ node:/.test(name)) return '#cfe3a5';
  return '#f3dc8c';
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
