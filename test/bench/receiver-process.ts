/** The process that is measured: one build, the sessions it is told to join, and what that cost. */
import { createHistogram, performance } from 'node:perf_hooks';
import { parseMediaRequest } from '../../rtms/protocol/params.ts';
import { serve } from './bench-process.ts';
import type { Build, StartBuild, Tally } from './builds/build.ts';

/** One measurement window. */
export interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly frames: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
}

/** Handshakes at once. */
const JOINS_AT_ONCE = 32;

const [name = '', kinesisUrl = ''] = process.argv.slice(2);
const { start } = (await import(`./builds/${name}.ts`)) as { start: StartBuild };
const tally: Tally = { frames: 0, delayMs: createHistogram() };
const build: Build = await start(kinesisUrl, tally);
let joined = 0;
let began = { wallMs: 0, cpu: process.cpuUsage(), frames: 0 };

async function joinMore(upTo: number, signalingUrl: string, media: string): Promise<void> {
  const session = () => ({
    rtmsStreamId: `0123456789abcdef0123456789${String(joined++).padStart(6, '0')}`,
    signalingUrl,
    media: parseMediaRequest(media),
  });
  const joiner = async () => {
    while (joined < upTo) await build.join(session());
  };
  await Promise.all(Array.from({ length: JOINS_AT_ONCE }, joiner));
}

serve({
  ready: () => true,
  join: ({
    sessions,
    signalingUrl,
    media,
  }: {
    sessions: number;
    signalingUrl: string;
    media: string;
  }) => joinMore(sessions, signalingUrl, media),
  begin: () => {
    tally.delayMs.reset();
    began = { wallMs: performance.now(), cpu: process.cpuUsage(), frames: tally.frames };
  },
  end: (): Cost => {
    const { user, system } = process.cpuUsage(began.cpu);
    const { rss, heapUsed } = process.memoryUsage();
    return {
      wallMs: performance.now() - began.wallMs,
      cpuMs: (user + system) / 1_000,
      frames: tally.frames - began.frames,
      p50Ms: tally.delayMs.percentile(50),
      p99Ms: tally.delayMs.percentile(99),
      rssBytes: rss,
      heapUsedBytes: heapUsed,
    };
  },
  collectGarbage: () => {
    globalThis.gc?.();
    return process.memoryUsage();
  },
});
