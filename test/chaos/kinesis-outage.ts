import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CreateStreamCommand, type KinesisClient } from '@aws-sdk/client-kinesis';
import type { FaultScript } from '../../local/kinesis/faults.ts';
import { DEFAULT_MEMORY_LIMITS } from '../../runner/kinesis/pressure.ts';
import { Producer } from '../../runner/kinesis/producer.ts';
import { openSpool } from '../../runner/kinesis/spool/spool.ts';
import { createKinesisClient, createPutClient } from '../../runner/kinesis/transport.ts';
import { DEFAULT_PUT_MODE, parsePutMode } from '../../shared/env.ts';
import { commandOptions, wholeNumber } from '../support/command-options.ts';
import { startKinesisProcess } from './kinesis-process.ts';
import { type Audit, audit } from './kinesis-read-back.ts';
import { audio, lines, Source, video } from './kinesis-traffic.ts';

export interface OutageOptions {
  /** How long no call succeeds. Memory and disk bounds shrink with it: at 300 s they are the defaults. */
  readonly outageSeconds: number;
  /** Length of each other phase. */
  readonly phaseSeconds: number;
  readonly seed: number;
}

export interface OutageReport {
  readonly audioLost: number;
  readonly eventsLost: number;
  readonly videoLost: number;
  readonly media: Audit;
  readonly events: Audit;
  readonly peakBufferedBytes: number;
  readonly peakSpoolBytes: number;
  readonly peakRssBytes: number;
  /** RSS before the outage. */
  readonly calmRssBytes: number;
  /** From the return of Kinesis until no key has a backlog. */
  readonly catchUpSeconds: number;
  /** Of the slowest key: bytes a second from its first write until it kept up, by its live rate. */
  readonly slowestCatchUpRate: number;
  /** From put to acknowledgement, 99th percentile: all keys before the outage; then keys that joined when Kinesis came back. */
  readonly calmLatencyMs: number;
  readonly healthyLatencyMs: number;
  readonly retriesUnderEntryFailures: number;
  /** In the calm phase, per meeting (one audio key) and hour of the whole mix. */
  readonly putUnitsPerMeetingHour: number;
  readonly recordsPerMeetingHour: number;
  readonly oneByOnePutUnitsPerMeetingHour: number;
  readonly oneByOneRecordsPerMeetingHour: number;
}

const MEETINGS = 10;
const VIDEOS = 2;
/** As a runner has it. */
const mode = parsePutMode(process.env['PUT_RECORDS'] ?? DEFAULT_PUT_MODE);
/** What a PutRecords call takes in AWS. */
const SERVICE_MS = 15;
const SERVICE = { latencyMs: SERVICE_MS, jitterMs: SERVICE_MS };

/**
 * Ten meetings with audio and lines, two with video, through: calm; a total outage; the return, when three
 * more meetings join; 30 % of entries failing; 1 % of answers lost. Then reads everything back.
 */
export async function runKinesisOutage(options: OutageOptions): Promise<OutageReport> {
  const { outageSeconds, phaseSeconds, seed } = options;
  const kinesis = await startKinesisProcess();
  const directory = await mkdtemp(join(tmpdir(), 'kinesis-outage-'));
  const clients = [connect(kinesis.url), connect(kinesis.url)] as const;
  try {
    for (const [index, name] of (['media', 'events'] as const).entries()) {
      const create = new CreateStreamCommand({ StreamName: name, ShardCount: index === 0 ? 8 : 1 });
      await (clients[index] as KinesisClient).send(create);
    }
    const run = await Run.start(clients, directory, outageSeconds);
    const put = async (rule: FaultScript['rules'][number]) =>
      kinesis.setFaults({ seed, rules: [{ operation: 'PutRecords', ...SERVICE, ...rule }] });

    await put({});
    run.join(
      Array.from({ length: MEETINGS }, (_, index) => `meeting-${index}`),
      2,
    );
    await run.live(phaseSeconds);
    const calm = run.takeCalmFigures(phaseSeconds);

    await put({ stall: 'refuse' });
    await run.live(outageSeconds);

    await put({});
    const healthy = run.join(['late-0', 'late-1', 'late-2'], 0);
    const { seconds, slowestRate } = await run.catchUp();
    const healthyLatencyMs = percentile(healthy.flatMap(({ latencies }) => latencies));

    const retriesBefore = run.media.stats().retries;
    await put({ entryErrors: { InternalFailure: 0.3 } });
    await run.live(phaseSeconds);
    const retries = run.media.stats().retries - retriesBefore;
    await put({ dropAnswerShare: 0.01 });
    await run.live(phaseSeconds);

    await put({});
    await Promise.all([run.media.close(), run.events.close()]);
    const media = await audit(
      clients[0],
      'media',
      run.sources.filter((each) => !isLines(each)),
    );
    const events = await audit(clients[1], 'events', run.sources.filter(isLines));
    const lost = (unitClass: string) =>
      run.sources
        .filter(({ shape }) => shape.class === unitClass)
        .reduce((sum, { droppedSequences }) => sum + droppedSequences.size, 0);
    return {
      audioLost: lost('audio'),
      eventsLost: lost('event'),
      videoLost: lost('video'),
      media,
      events,
      ...run.peaks,
      ...calm,
      catchUpSeconds: seconds,
      slowestCatchUpRate: slowestRate,
      healthyLatencyMs,
      retriesUnderEntryFailures: retries,
    };
  } finally {
    for (const client of clients) client.destroy();
    await kinesis.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

const isLines = ({ shape }: Source) => shape.class === 'event';

function connect(endpoint: string): KinesisClient {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  return createKinesisClient({ region: 'us-east-1', endpoint, credentials });
}

/** Five times what a step takes where nothing else runs. */
const MAX_STEP_MS = 50;

/** The sources and the two producers of one run, and the clock that drives them. */
class Run {
  readonly media: Producer;
  readonly events: Producer;
  readonly sources: Source[] = [];
  readonly peaks = { peakBufferedBytes: 0, peakSpoolBytes: 0, peakRssBytes: 0 };
  /** How long the meetings have gone on, ms. */
  #clockMs = 0;
  #steppedAtMs = performance.now();

  private constructor(media: Producer, events: Producer) {
    this.media = media;
    this.events = events;
  }

  static async start(
    [mediaClient, eventsClient]: readonly [KinesisClient, KinesisClient],
    directory: string,
    outageSeconds: number,
  ): Promise<Run> {
    const scale = outageSeconds / 300;
    const { laneBytes, sessionBytes, taskBytes, floorBytes } = DEFAULT_MEMORY_LIMITS;
    const memory = {
      laneBytes: Math.max(64 * 1024, laneBytes * scale),
      sessionBytes: Math.max(96 * 1024, sessionBytes * scale),
      taskBytes: taskBytes * scale,
      floorBytes: Math.min(floorBytes, 32 * 1024),
    };
    const segmentBytes = Math.max(16 * 1024, 256 * 1024 * scale);
    const retry = { baseMs: 100, maxMs: Math.max(300, 5_000 * scale) };
    // With what memory holds: all audio of the outage and half of the video.
    const mediaBytes = 530_000 * outageSeconds - (MEETINGS + VIDEOS) * memory.laneBytes;
    const mediaSpool = { directory: join(directory, 'media'), maxBytes: mediaBytes, segmentBytes };
    const eventSpool = { directory: join(directory, 'events'), maxBytes: 1e6, segmentBytes };
    return new Run(
      new Producer({
        client: createPutClient({ sdk: mediaClient, mode }),
        streamName: 'media',
        aggregate: true,
        spool: await openSpool(mediaSpool),
        memory,
        retry,
      }),
      new Producer({
        client: createPutClient({ sdk: eventsClient, mode }),
        streamName: 'events',
        aggregate: false,
        spool: await openSpool(eventSpool),
        memory,
        retry,
      }),
    );
  }

  /** Meetings begin: audio and lines each, video the first few. */
  join(meetings: readonly string[], withVideo: number): Source[] {
    const nowMs = this.#clockMs;
    const joined = meetings.flatMap((meeting, index) => [
      new Source(audio(meeting), this.media, nowMs),
      new Source(lines(meeting), this.events, nowMs),
      ...(index < withVideo ? [new Source(video(`${meeting}#v#1`), this.media, nowMs)] : []),
    ]);
    this.sources.push(...joined);
    return joined;
  }

  async live(seconds: number): Promise<void> {
    const untilMs = this.#clockMs + seconds * 1000;
    while (this.#clockMs < untilMs) await this.#step();
  }

  /** Goes on live until every key keeps up again; each key's rate counts from its first write. */
  async catchUp(): Promise<{ seconds: number; slowestRate: number }> {
    const returnedAtMs = performance.now();
    const behind = new Map<Source, { fromBytes: number; fromMs: number }>();
    for (const source of this.sources) {
      if (isBehind(source)) behind.set(source, { fromBytes: source.writtenBytes, fromMs: 0 });
    }
    let slowestRate = Number.POSITIVE_INFINITY;
    while (behind.size > 0) {
      await this.#step();
      const nowMs = performance.now();
      for (const [source, from] of behind) {
        if (from.fromMs === 0 && source.writtenBytes > from.fromBytes) from.fromMs = nowMs;
        if (isBehind(source)) continue;
        behind.delete(source);
        const bytesPerSecond =
          ((source.writtenBytes - from.fromBytes) / (nowMs - from.fromMs)) * 1000;
        slowestRate = Math.min(slowestRate, bytesPerSecond / source.liveBytesPerSecond);
      }
    }
    return { seconds: (performance.now() - returnedAtMs) / 1000, slowestRate };
  }

  takeCalmFigures(seconds: number) {
    const stats = this.media.stats();
    const perMeetingHour = (count: number) => Math.round((count / seconds / MEETINGS) * 3_600);
    const media = this.sources.filter((source) => !isLines(source));
    const sum = (of: (source: Source) => number) =>
      media.reduce((total, source) => total + of(source), 0);
    const calmLatencyMs = percentile(media.flatMap(({ latencies }) => latencies));
    return {
      calmLatencyMs,
      calmRssBytes: process.memoryUsage.rss(),
      putUnitsPerMeetingHour: perMeetingHour(stats.putUnits),
      recordsPerMeetingHour: perMeetingHour(stats.records),
      oneByOnePutUnitsPerMeetingHour: perMeetingHour(sum(({ frameUnits }) => frameUnits)),
      oneByOneRecordsPerMeetingHour: perMeetingHour(sum(({ sent }) => sent)),
    };
  }

  async #step(): Promise<void> {
    const nowMs = performance.now();
    // Meetings wait where this process does: what seconds of an outage bring has to fit into a memory of a known size.
    this.#clockMs += Math.min(nowMs - this.#steppedAtMs, MAX_STEP_MS);
    this.#steppedAtMs = nowMs;
    for (const source of this.sources) source.run(this.#clockMs);
    const [media, events] = [this.media.stats(), this.events.stats()];
    const { peaks } = this;
    const raise = (name: keyof typeof peaks, value: number) => {
      peaks[name] = Math.max(peaks[name], value);
    };
    raise('peakBufferedBytes', media.bufferedBytes + events.bufferedBytes);
    raise('peakSpoolBytes', media.spoolBytes + events.spoolBytes);
    raise('peakRssBytes', process.memoryUsage.rss());
    await delay(10);
  }
}

/** More is unacknowledged than waits for company and for answers when all is well. */
function isBehind(source: Source): boolean {
  return source.unacknowledged > Math.max(2, 500 / source.shape.intervalMs);
}

function percentile(latencies: number[], share = 0.99): number {
  const sorted = latencies.sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length * share)] ?? 0;
}

if (import.meta.main) {
  const { values } = commandOptions('npm run test:chaos -- kinesis-outage', {
    options: {
      outage: { type: 'string', default: '300' },
      phase: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
    },
  });
  const report = await runKinesisOutage({
    outageSeconds: wholeNumber('outage', values.outage),
    phaseSeconds: wholeNumber('phase', values.phase),
    seed: wholeNumber('seed', values.seed),
  });
  process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
  process.exitCode = isGood(report) ? 0 : 1;
}

/** What the run must reach, on a machine that has nothing else to do. */
function isGood(report: OutageReport): boolean {
  const { media, events } = report;
  return (
    report.audioLost + report.eventsLost + media.missing + events.missing === 0 &&
    media.outOfOrder.length + events.outOfOrder.length === 0 &&
    report.slowestCatchUpRate >= 3 &&
    report.healthyLatencyMs < 2 * report.calmLatencyMs &&
    report.oneByOnePutUnitsPerMeetingHour > 8 * report.putUnitsPerMeetingHour
  );
}
