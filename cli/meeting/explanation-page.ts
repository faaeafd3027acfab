import { layOut } from '../../shared/table.ts';
import type { Explanation } from './explanation.ts';
import type { RecordedMedia } from './recorded-media.ts';

/** How many losses the page lists; `rtms verify` lists all of them. */
const MAX_MISSING = 12;
const MAX_PEOPLE = 8;

/** The explanation as one page. Times are UTC. */
export function pageOf(explanation: Explanation, width: number): string[] {
  const { summary, steps, recorded, missing, advice, verdict } = explanation;
  const days = new Set(steps.map(({ atMs }) => dayOf(atMs)));
  const timeOf = (ms: number) =>
    days.size > 1 ? new Date(ms).toISOString().slice(0, 19) : clockOf(ms);
  const more = missing.length - MAX_MISSING;
  return [
    titleOf(explanation),
    '',
    summary,
    '',
    `What happened (UTC${days.size === 1 ? `, ${[...days][0]}` : ''})`,
    ...steps.map(({ atMs, text }) => `  ${timeOf(atMs)}  ${text}`),
    '',
    'What was recorded',
    ...(recorded.length === 0 ? ['  nothing'] : tableOf(recorded, width)),
    '',
    'What is missing',
    ...missing.slice(0, MAX_MISSING).map((text) => `  ${text}`),
    ...(more > 0 ? [`  and ${more} more: rtms verify lists them`] : []),
    ...(missing.length === 0 ? [verdict === 'complete' ? '  nothing' : '  see above'] : []),
    '',
    'What to do',
    ...advice.map((text) => `  ${text}`),
  ];
}

function titleOf({ product = 'meeting', entityId, meetingId, topic }: Explanation): string {
  const name = topic === undefined ? '' : ` "${topic}"`;
  const number = meetingId === undefined ? '' : `, number ${meetingId}`;
  return `${product.replace('_', ' ')}${name} ${entityId ?? ''}${number}`;
}

function tableOf(recorded: readonly RecordedMedia[], width: number): string[] {
  const rows = recorded.map(({ mediaType, minutes, lines, people }) => {
    const named = people.slice(0, MAX_PEOPLE).join(', ');
    const more = people.length > MAX_PEOPLE ? ` and ${people.length - MAX_PEOPLE} more` : '';
    const amount = minutes === undefined ? `${lines ?? 0} lines` : `${minutes} min`;
    return [mediaType, amount, people.length === 0 ? 'of everybody together' : `${named}${more}`];
  });
  return layOut(['media', 'amount', 'of'], rows, width - 2).map((line) => `  ${line}`);
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function clockOf(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19);
}
