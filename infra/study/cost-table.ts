import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { putUnits } from '../../shared/kinesis-rules.ts';
import { fromRoot } from '../bundling/bundle-options.ts';
import { type ConfigInput, readConfig } from '../config/schema.ts';
import { DEV, PROD } from '../config/stages.ts';
import {
  type CostLine,
  costPerHour,
  floodHour,
  runnerPrices,
  streamHour,
} from '../planning/cost-model.ts';
import { meetingLoad } from '../planning/meeting-load.ts';
import { HOURS_PER_MONTH } from '../planning/prices.ts';
import { markdownTable, replaceSection } from './markdown.ts';

const DOCUMENT = fromRoot('docs/deploy.md');

const AUDIO_ONLY = { video: false, deskshare: false } as const;

/** The deployments that the tables compare. `meetings` has a column for each number of meetings, beside `idle`. */
const VARIANTS: readonly Variant[] = [
  { caption: 'Stage `dev`: one small task, two shards', config: DEV, meetings: [1] },
  {
    caption: 'Stage `prod`: shards for 100 meetings, 48 h kept',
    config: PROD,
    meetings: [10, 100],
  },
  { caption: 'All media, on-demand streams (the default)', config: {}, meetings: [100, 1000] },
  {
    caption: 'All media, On-Demand Advantage',
    config: { records: { capacity: { mode: 'on-demand', advantage: true } } },
    meetings: [100, 1000],
  },
  {
    caption: 'All media, provisioned for 1,000 meetings',
    config: { records: provisioned() },
    meetings: [100, 1000],
  },
  {
    caption: 'The same with the archive (`records.archive`): one task for 100 meetings',
    config: { records: { ...provisioned(), archive: { tasks: 10 } } },
    meetings: [100, 1000],
  },
  {
    caption: 'Audio, transcript and chat, provisioned for 1,000 meetings',
    config: { zoom: { media: AUDIO_ONLY }, records: provisioned() },
    meetings: [100, 1000],
  },
  {
    caption: 'The same with the archive (`records.archive`): one task for 200 meetings',
    config: { zoom: { media: AUDIO_ONLY }, records: { ...provisioned(), archive: { tasks: 5 } } },
    meetings: [100, 1000],
  },
  {
    caption: 'Audio, transcript and chat behind NAT (`network: private`)',
    config: {
      zoom: { media: AUDIO_ONLY },
      records: provisioned(),
      network: { kind: 'private' },
    },
    meetings: [100, 1000],
  },
];

const SEND_RATES_MS = [20, 100, 200, 500, 1_000] as const;

interface Variant {
  readonly caption: string;
  readonly config: ConfigInput;
  readonly meetings: readonly number[];
}

function provisioned(): NonNullable<ConfigInput['records']> {
  return { capacity: { mode: 'provisioned', meetings: 1000 } };
}

/** Dollars an hour by item and number of meetings, in one Markdown table for each variant. */
export function costTables(): string {
  const flood = floodHour(readConfig({}));
  return [
    ...VARIANTS.map((variant) => `**${variant.caption}**\n\n${costTable(variant)}`),
    `A flood that fills the webhook's default throttle costs ${dollars(flood)} an hour. A task that packing ends saves ${dollars(runnerPrices(readConfig({})).taskHour)} an hour.`,
  ].join('\n\n');
}

/** The archive profile: L16 in longer messages. Dollars a meeting-hour of what differs. */
export function sendRateTable(): string {
  const load = (sendRateMs: number, capacity: ConfigInput['records']) => {
    const audio = { codec: 'L16', sampleRate: 'SR_16K', channel: 'MONO', sendRateMs } as const;
    const config = readConfig({
      zoom: { media: { ...AUDIO_ONLY, audio } },
      ...(capacity === undefined ? {} : { records: capacity }),
    });
    const { media } = meetingLoad(config.zoom.media);
    return { media, dollarsPerHour: streamHour(config, media, 1000) / 1000 };
  };
  return markdownTable([
    [
      '`sendRateMs`',
      'records a second',
      'PUT units a second',
      'kB/s',
      '$ provisioned',
      '$ on demand',
    ],
    Array(6).fill('---:'),
    ...SEND_RATES_MS.map((sendRateMs) => {
      const { media, dollarsPerHour } = load(sendRateMs, provisioned());
      const units = media.putsPerSecond * putUnits(media.bytesPerSecond / media.putsPerSecond);
      return [
        sendRateMs,
        media.putsPerSecond.toFixed(1),
        units.toFixed(1),
        (media.bytesPerSecond / 1000).toFixed(1),
        `$${dollarsPerHour.toFixed(5)}`,
        `$${load(sendRateMs, undefined).dollarsPerHour.toFixed(4)}`,
      ];
    }),
  ]);
}

function costTable({ config: input, meetings }: Variant): string {
  const config = readConfig(input);
  const columns = [0, ...meetings].map((running) => costPerHour(config, running));
  const items = (columns[0] ?? []).map(({ item }, row) => [
    item,
    ...columns.map((column) => dollars(column[row]?.dollarsPerHour ?? 0)),
  ]);
  const totals = columns.map(total);
  return markdownTable([
    ['$ per hour', 'idle', ...meetings.map((count) => `${count} meeting${count === 1 ? '' : 's'}`)],
    ['---', ...columns.map(() => '---:')],
    ...items,
    ['**Sum**', ...totals.map((sum) => `**${dollars(sum)}**`)],
    ['a month of it', ...totals.map((sum) => `$${Math.round(sum * HOURS_PER_MONTH)}`)],
    [
      'a meeting-hour',
      '',
      ...totals.slice(1).map((sum, index) => dollars(sum / (meetings[index] ?? 1))),
    ],
  ]);
}

function total(lines: readonly CostLine[]): number {
  return lines.reduce((sum, { dollarsPerHour }) => sum + dollarsPerHour, 0);
}

function dollars(amount: number): string {
  return `$${amount.toFixed(amount < 1 ? 3 : 2)}`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const document = readFileSync(DOCUMENT, 'utf8');
  const withCosts = replaceSection(document, 'costs', costTables());
  writeFileSync(DOCUMENT, replaceSection(withCosts, 'send-rates', sendRateTable()));
}
