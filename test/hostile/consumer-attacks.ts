import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import type { World } from '../support/world.ts';
import { kill, postWebhook, startPeer } from './hostile-peer.ts';
import { forgeries, HOSTILE_WORDS } from './hostile-words.ts';
import { attackLive } from './live-attack.ts';
import { oddRecords, putOddRecords } from './odd-records.ts';
import { WORDS_ATTACK } from './peer-attacks.ts';
import { type Program, startProgram } from './program.ts';
import { attackSdkServer } from './sdk-attack.ts';

export interface ConsumerTools {
  readonly world: World;
  /** A healthy meeting that goes on. */
  readonly neighbour: string;
  /** Of this attack alone. */
  readonly folder: string;
}

/** A new attack on those who read or take webhooks is one row of this table. */
export interface ConsumerAttack {
  readonly name: string;
  readonly rule: string;
  /** @returns what broke the rule; nothing when it held */
  readonly run: (tools: ConsumerTools) => Promise<readonly string[]>;
}

const ODD_IS_TOLD = 'one odd record is told and skipped';
const MEETING_MS = 4_000;
const SEEN_MS = 45_000;
/** Of the neighbour, a line each 200 ms. */
const ENOUGH_LINES = 20;
/** Transcript, chat and the roster, at least, of all the hostile words. */
const LINES_OF_WORDS = 3 * HOSTILE_WORDS.length;

export const CONSUMER_ATTACKS: readonly ConsumerAttack[] = [
  {
    name: 'consumer: rtms tail among odd records',
    rule: ODD_IS_TOLD,
    run: async (tools) => {
      const tail = await startTail(tools);
      await putOddRecords(tools.world.stack.aws, tools.neighbour);
      const odd = oddRecords(tools.neighbour).events.length;
      const lines = () => tail.lines.filter((line) => line.includes(tools.neighbour)).length;
      await seen(() => skipped(tail) >= odd && lines() > ENOUGH_LINES);
      const code = await tail.end('SIGINT');
      return [
        ...ended(code, [0]),
        ...(lines() > ENOUGH_LINES ? [] : [`only ${lines()} lines of the neighbour`]),
        ...(skipped(tail) >= odd ? [] : [`${skipped(tail)} of ${odd} odd lines told`]),
      ];
    },
  },
  {
    name: 'consumer: rtms tail --media among odd records',
    rule: ODD_IS_TOLD,
    run: async (tools) => {
      const tail = await startTail(tools, '--media');
      await putOddRecords(tools.world.stack.aws, tools.neighbour);
      const odd = oddRecords(tools.neighbour).media.length;
      await seen(() => skipped(tail) >= odd);
      const code = await tail.end('SIGINT');
      return [
        ...ended(code, [0]),
        ...(skipped(tail) >= odd ? [] : [`${skipped(tail)} of ${odd} odd records told`]),
      ];
    },
  },
  {
    name: 'consumer: rtms verify and export of a meeting with odd records',
    rule: ODD_IS_TOLD,
    run: async (tools) => {
      const { world, folder } = tools;
      const meeting = syntheticMeeting({ durationMs: MEETING_MS, transcriptEveryMs: 200 });
      const id = world.simulator.start(meeting) ?? '';
      await world.flowing(id, 1, 30_000);
      await putOddRecords(world.stack.aws, id);
      await world.event('session_ended', { rtmsStreamId: id }, 60_000);
      await putOddRecords(world.stack.aws, id);
      const verify = await rtms(tools, 'verify', id, '--fast');
      const out = join(folder, 'export');
      const written = await rtms(tools, 'export', id, '--fast', '--out', out);
      const files = await readdir(out).catch(() => []);
      return [
        ...ended(verify.code, [0], `verify: ${verify.lines.at(-1)}: `),
        ...ended(written.code, [0], `export: ${written.lines.at(-1)}: `),
        ...(files.some((file) => file.endsWith('.wav')) ? [] : ['no WAV was written']),
      ];
    },
  },
  {
    name: 'consumer: rtms tail of words that act on a terminal',
    rule: 'one event is one plain line',
    run: async (tools) => {
      const { world } = tools;
      const tail = await startTail(tools);
      const peer = await startPeer([WORDS_ATTACK]);
      const rtms_stream_id = `words-${process.pid}-${Date.now()}`;
      const stream = { rtms_stream_id, server_urls: peer.serverUrls };
      const status = await postWebhook(world.stack.webhookUrl, 'started', stream);
      const said = () => tail.lines.filter((line) => line.includes(rtms_stream_id)).length;
      await seen(() => said() >= LINES_OF_WORDS);
      const code = await tail.end('SIGINT');
      await postWebhook(world.stack.webhookUrl, 'stopped', { rtms_stream_id, stop_reason: 6 });
      const failed = await kill(peer.child);
      return [
        ...(status === 200 ? [] : [`webhook answered ${status}`]),
        ...ended(code, [0]),
        ...failed,
        ...forgeries(tail.lines.join('\n')),
        ...(said() >= LINES_OF_WORDS ? [] : [`only ${said()} lines of the hostile meeting`]),
      ];
    },
  },
  {
    name: 'consumer: npm start -- --live, ids that lead elsewhere, odd records',
    rule: 'writes under --out alone, prints nothing raw',
    run: ({ folder }) => attackLive(folder),
  },
  {
    name: 'SDK server: slow bodies, null payloads, forged signatures and logs',
    rule: 'closed in 10 s, 400, 401 without a word, one line a log line',
    run: () => attackSdkServer(),
  },
];

/** What an exit code says that is none of the expected ones. */
export function ended(code: number | null, expected: readonly number[], what = ''): string[] {
  return code !== null && expected.includes(code) ? [] : [`${what}exit code ${code}`];
}

/** Follows the events, or the media. It takes a second to start, or ten: `--since` has what is written meanwhile. */
async function startTail(tools: ConsumerTools, ...args: string[]): Promise<Program> {
  return startProgram('cli/main.ts', await atStack(tools, ['tail', '--since', '5s', ...args]));
}

function skipped({ lines }: Program): number {
  return lines.filter((line) => line.startsWith('skipped: ')).length;
}

/** Waits, not for ever: what is not seen by then is told by whoever asked. */
async function seen(check: () => boolean): Promise<void> {
  const untilMs = performance.now() + SEEN_MS;
  while (!check() && performance.now() < untilMs) await sleep(100);
}

async function rtms(tools: ConsumerTools, ...args: string[]) {
  const program = startProgram('cli/main.ts', await atStack(tools, args));
  return { code: await program.end(), lines: program.lines };
}

async function atStack({ world, folder }: ConsumerTools, args: string[]): Promise<string[]> {
  const { region, endpoints, queueUrl, table, streams } = world.stack.aws;
  await mkdir(folder, { recursive: true });
  const description = join(folder, 'stack.json');
  await writeFile(description, JSON.stringify({ region, endpoints, queueUrl, table, streams }));
  return [...args, '--local', description];
}
