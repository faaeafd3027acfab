import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { startSimulator } from '../../simulator/simulator.ts';
import { EXAMPLE_APP } from '../../simulator/sockets/handshake.ts';
import type { CorruptTargets } from './corrupt-targets.ts';
import { kill, postWebhook, startPeer } from './hostile-peer.ts';
import { forgeries } from './hostile-words.ts';
import { putOddRecords } from './odd-records.ts';
import { WORDS_ATTACK } from './peer-attacks.ts';
import { type Program, startProgram } from './program.ts';

const READY_MS = 60_000;
const MEETING_MS = 6_000;
/** Until the last records of what was sent are read. */
const AFTERMATH_MS = 4_000;

/** Ids as somebody would choose them who wants a file elsewhere, or a line of the terminal. */
const idsThatLeadOut = (folder: string) => [
  '../../escaped',
  '..',
  join(folder, 'absolute'),
  'a/../../../escaped',
  'C:\\escaped',
  'line\nFORGED',
  'turned\u202eDEGROF',
  'x'.repeat(240),
];

/**
 * `npm start -- --live` as a process with a stack of its own: a signed webhook brings ids that are paths, their peer says what
 * acts on a terminal, and odd records stand in its streams. A healthy meeting beside them has to be written whole.
 */
export async function attackLive(folder: string): Promise<string[]> {
  const out = join(folder, 'inner', 'out');
  await mkdir(out, { recursive: true });
  const args = ['--live', '--out', out];
  const live = startProgram('local/dev.ts', args, {
    ZM_RTMS_PORT: '0',
    ZM_RTMS_CLIENT: EXAMPLE_APP.clientId,
    ZM_RTMS_SECRET: EXAMPLE_APP.clientSecret,
    ZM_RTMS_WEBHOOK_SECRET: EXAMPLE_APP.webhookSecretToken,
    ZM_RTMS_ALLOWED_HOSTS: '127.0.0.1',
    RTMS_MEDIA: '{"audio": {"codec": "L16", "sampleRate": "SR_16K", "channel": "MONO"}}',
  });
  const stack = await described(join(out, 'stack.json'), live);
  const simulator = await startSimulator({ webhookUrls: [stack.webhookUrl] });
  const peer = await startPeer([WORDS_ATTACK]);
  const meeting = syntheticMeeting({ durationMs: MEETING_MS, transcriptEveryMs: 200 });
  const healthy = simulator.start(meeting) ?? '';
  const statuses: number[] = [];
  for (const rtms_stream_id of idsThatLeadOut(folder)) {
    const stream = { rtms_stream_id, server_urls: peer.serverUrls };
    statuses.push(await postWebhook(stack.webhookUrl, 'started', stream));
  }
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  await putOddRecords({ ...stack, credentials }, healthy);
  await simulator.finished(healthy);
  await peer.done;
  await sleep(AFTERMATH_MS);
  const code = await live.end('SIGINT');
  await kill(peer.child);
  await simulator.close();
  const files = await readdir(join(out, healthy)).catch(() => []);
  const outside = [...(await readdir(folder)), ...(await readdir(join(folder, 'inner')))].filter(
    (name) => !['inner', 'out'].includes(name),
  );
  const wasTold = live.lines.filter((line) => line.includes('skipped') || /bad|record/.test(line));
  return [
    // 0, 1 and 4 are verdicts of what was read.
    ...(code !== null && [0, 1, 4].includes(code) ? [] : [`exit code ${code}`]),
    ...(statuses.every((status) => status < 500) ? [] : [`webhook answered ${statuses}`]),
    ...(files.some((file) => file.endsWith('.wav')) ? [] : ['the healthy meeting has no WAV']),
    ...(outside.length === 0 ? [] : [`written outside: ${outside}`]),
    ...(wasTold.length > 0 ? [] : ['odd records were not told']),
    ...forgeries(live.lines.join('\n')),
  ];
}

type Described = Pick<CorruptTargets, 'region' | 'endpoints' | 'streams'> & { webhookUrl: string };

/** What a local stack says of itself once it is up. */
async function described(file: string, live: Program): Promise<Described> {
  const untilMs = performance.now() + READY_MS;
  while (!existsSync(file)) {
    if (performance.now() > untilMs) throw new Error(`no stack: ${live.lines.at(-1)}`);
    await sleep(50);
  }
  await sleep(100);
  return JSON.parse(readFileSync(file, 'utf8')) as Described;
}
