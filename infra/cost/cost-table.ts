import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { fromRoot } from '../bundle-options.ts';
import { type ConfigInput, readConfig } from '../config.ts';
import { type CostLine, costPerHour } from './cost-model.ts';
import { replaceSection } from './markdown.ts';

const DOCUMENT = fromRoot('docs/deploy.md');
const MEETINGS = [0, 100, 1000] as const;
const HOURS_PER_MONTH = 730;

const AUDIO_ONLY = { video: false, deskshare: false } as const;

/** The deployments that the table compares, by their caption. */
const VARIANTS: Readonly<Record<string, ConfigInput>> = {
  'All media, on-demand streams (the default)': {},
  'All media, provisioned streams': { records: provisioned() },
  'Audio, transcript and chat, provisioned streams': {
    zoom: { media: AUDIO_ONLY },
    records: provisioned(),
  },
  'The same behind NAT (`network: private`)': {
    zoom: { media: AUDIO_ONLY },
    records: provisioned(),
    network: { kind: 'private' },
  },
};

function provisioned(): NonNullable<ConfigInput['records']> {
  return { capacity: { mode: 'provisioned', meetings: 1 } };
}

/** Dollars an hour per item and number of meetings, one Markdown table a variant. */
export function costTables(): string {
  return Object.entries(VARIANTS)
    .map(([caption, input]) => `**${caption}**\n\n${costTable(input)}`)
    .join('\n\n');
}

function costTable(input: ConfigInput): string {
  const config = readConfig(input);
  const columns = MEETINGS.map((meetings) => costPerHour(config, meetings));
  const items = (columns[0] ?? []).map(({ item }, row) => [
    item,
    ...columns.map((column) => dollars(column[row]?.dollarsPerHour ?? 0)),
  ]);
  const totals = columns.map(total);
  return table([
    ['$ per hour', 'idle', ...MEETINGS.slice(1).map((meetings) => `${meetings} meetings`)],
    ['---', ...MEETINGS.map(() => '---:')],
    ...items,
    ['**Sum**', ...totals.map((sum) => `**${dollars(sum)}**`)],
    ['a month of it', ...totals.map((sum) => `$${Math.round(sum * HOURS_PER_MONTH)}`)],
    [
      'a meeting-hour',
      '',
      ...totals.slice(1).map((sum, index) => dollars(sum / (MEETINGS[index + 1] ?? 1))),
    ],
  ]);
}

function total(lines: readonly CostLine[]): number {
  return lines.reduce((sum, { dollarsPerHour }) => sum + dollarsPerHour, 0);
}

function dollars(amount: number): string {
  return `$${amount.toFixed(amount < 1 ? 3 : 2)}`;
}

function table(rows: readonly (readonly string[])[]): string {
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const document = readFileSync(DOCUMENT, 'utf8');
  writeFileSync(DOCUMENT, replaceSection(document, 'costs', costTables()));
}
