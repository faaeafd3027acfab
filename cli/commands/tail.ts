import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { events, type Frame, frames, type ReceivedEvent } from '../../sdk/consumer/index.ts';
import { describeEvent } from '../../sdk/consumer/records/describe-event.ts';
import type { ServiceError } from '../../shared/errors.ts';
import { streamKey } from '../../shared/record/partition-key.ts';
import { layOut } from '../../shared/table.ts';
import { type Context, createCommand, type Flags, runCommand } from '../command.ts';
import { required } from '../deployment/deployment.ts';
import { findSession, SESSION_ARGUMENT } from '../meeting/find-session.ts';
import { MediaMeter } from '../meeting/media-meter.ts';
import { EXIT, type ExitCode } from '../terminal/exit-code.ts';
import { parseDuration, parseMoment } from '../terminal/time.ts';

const MEDIA_INTERVAL_MS = 1_000;

interface TailFlags extends Flags {
  readonly transcript?: true;
  readonly media?: true;
  readonly since?: string;
  readonly for?: string;
}

export function tailCommand(): Command {
  return createCommand('tail', {
    summary: 'show what arrives, live',
    description:
      'Shows what arrives, live: events as they happen, or only what is said, or every source with its frames, ' +
      'bytes and lag each second. Ends with Ctrl-C.',
    examples: [
      'rtms tail --local',
      'rtms tail 5f9d6a3c0a1b4e07 --transcript',
      'rtms tail --media --for 30s --json',
      'rtms tail --since 10m --for 5s > last-ten-minutes.txt',
    ],
  })
    .argument('[session]', `one session only: ${SESSION_ARGUMENT}`)
    .option('--transcript', 'only what was said')
    .option('--media', 'read the media stream instead: frames, KiB and lag by source, each second')
    .option('--since <moment>', 'begin at 2026-11-22T10:00:00Z, or 10m ago (default: now)')
    .option('--for <duration>', 'end after 30s, 10m')
    .action((id: string | undefined, flags: TailFlags) =>
      runCommand(flags, (context) => tail(context, id, flags), EXIT.OK),
    );
}

async function tail(
  context: Context,
  words: string | undefined,
  flags: TailFlags,
): Promise<ExitCode> {
  const rtmsStreamId = await idOf(context, words);
  const nowMs = Date.now();
  const startAt = flags.since === undefined ? 'LATEST' : new Date(parseMoment(flags.since, nowMs));
  const timeout = flags.for === undefined ? [] : [AbortSignal.timeout(parseDuration(flags.for))];
  const signal = AbortSignal.any([context.signal, ...timeout]);
  const reader = {
    client: context.aws.kinesis,
    streamName: required(context.deployment, flags.media ? 'mediaStream' : 'eventsStream'),
    startAt,
    signal,
    onBadRecord: (error: ServiceError) => context.output.note(`skipped: ${error.message}`),
  } as const;
  const isWanted = (item: Frame | ReceivedEvent) =>
    rtmsStreamId === undefined || item.rtmsStreamId === rtmsStreamId;
  if (flags.media) {
    const meter = new MediaMeter();
    const showing = showMeter(context, meter, signal);
    for await (const frame of frames(reader)) if (isWanted(frame)) meter.count(frame, Date.now());
    await showing;
    return EXIT.OK;
  }
  const only = rtmsStreamId === undefined ? {} : { partitionKey: streamKey(rtmsStreamId) };
  for await (const event of events({ ...reader, ...only })) {
    if (isWanted(event) && (!flags.transcript || event.name === 'transcript')) {
      showEvent(context, event);
    }
  }
  return EXIT.OK;
}

/** Without a table only a whole id names a session. Nothing else in this command needs the table. */
async function idOf(context: Context, words: string | undefined): Promise<string | undefined> {
  if (words === undefined || context.deployment.table === undefined) return words;
  return (await findSession(context, words)).rtmsStreamId;
}

function showEvent({ output }: Context, event: ReceivedEvent): void {
  const { rtmsStreamId, name, epoch, sequence, time, data } = event;
  output.show(
    { rtmsStreamId, name, epoch, sequence, time, data },
    () => `${time.toISOString().slice(11, 23)}  ${rtmsStreamId}  ${describeEvent(event)}`,
  );
}

async function showMeter(context: Context, meter: MediaMeter, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(MEDIA_INTERVAL_MS, undefined, { signal }).catch(() => undefined);
    const rows = meter.take();
    if (rows.length === 0) continue;
    context.output.show({ atMs: Date.now(), sources: rows }, (width) =>
      layOut(
        ['rtms_stream_id', 'media', 'source', 'codec', 'frames', 'KiB', 'lag ms'],
        rows.map((row) => [
          row.rtmsStreamId,
          row.mediaType,
          String(row.userId ?? row.channelId ?? ''),
          row.codec,
          row.frames,
          Math.round(row.bytes / 1_024),
          row.lagMs,
        ]),
        width,
      ),
    );
  }
}
