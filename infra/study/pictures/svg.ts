/** Attribute values of an SVG element; undefined ones are left out. */
export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** One SVG element as text. @param content markup, already escaped */
export function element(name: string, attributes: Attributes, content = ''): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) =>
        ` ${key}="${typeof value === 'number' ? round(value) : escapeMarkup(value ?? '')}"`,
    )
    .join('');
  return content === '' ? `<${name}${written}/>` : `<${name}${written}>${content}</${name}>`;
}

/** A line of text with its baseline at (x, y). */
export function svgText(
  x: number,
  y: number,
  content: string,
  attributes: Attributes = {},
): string {
  return element('text', { x, y, ...attributes }, escapeMarkup(content));
}

/** A whole SVG document on a white background. */
export function document(width: number, height: number, content: readonly string[]): string {
  const ground = element('rect', { width, height, fill: '#ffffff' });
  const attributes = {
    xmlns: 'http://www.w3.org/2000/svg',
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    'font-family': 'Helvetica, Arial, sans-serif',
    'font-size': 12,
    fill: '#16191f',
    stroke: 'none',
  };
  return `${element('svg', attributes, [ground, ...content].join('\n'))}\n`;
}

function escapeMarkup(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
