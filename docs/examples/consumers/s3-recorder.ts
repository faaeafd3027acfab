import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  decodeKinesisEvent,
  type Exporter,
  type Frame,
  H264Exporter,
  type KinesisLambdaEvent,
  OpusExporter,
  ServiceError,
  sourceKey,
  WavExporter,
} from '../../../sdk/consumer/index.ts';

/** Where objects are stored: in S3, or in anything that stores bytes under a key. */
export interface ObjectStore {
  put(key: string, body: Uint8Array, about: ObjectFacts): Promise<void>;
  exists(key: string): Promise<boolean>;
  deleteAll(prefix: string): Promise<void>;
}

export interface ObjectFacts {
  readonly contentType: string;
  /** ASCII, as S3 wants it: names are percent-encoded. */
  readonly metadata: Readonly<Record<string, string>>;
}

interface Format {
  readonly extension: string;
  readonly contentType: string;
  /** Absent: each frame is an object of its own, as it is. */
  readonly exporter?: (path: string, startMs: number) => Exporter<Frame>;
}

const wav: Format = {
  extension: 'wav',
  contentType: 'audio/wav',
  exporter: (path, startMs) => new WavExporter(path, { startMs }),
};
const FORMATS: Readonly<Record<string, Format>> = {
  L16: wav,
  G711: wav,
  G722: wav,
  OPUS: {
    extension: 'ogg',
    contentType: 'audio/ogg',
    exporter: (path, startMs) => new OpusExporter(path, startMs),
  },
  H264: {
    extension: 'h264',
    contentType: 'video/h264',
    exporter: (path) => new H264Exporter(path),
  },
  JPG: { extension: 'jpg', contentType: 'image/jpeg' },
  PNG: { extension: 'png', contentType: 'image/png' },
};
const UNKNOWN: Format = { extension: 'bin', contentType: 'application/octet-stream' };

/**
 * Makes a Lambda handler that stores what arrives on either stream. One batch becomes one object for each source that can
 * be played. With a longer batching window there are fewer and larger objects.
 *
 * - `<stream>/<epoch>/audio/user-16778240/2026-11-22T10:00:00.020Z-0000000001.wav` (Opus: `.ogg`), which begins at that
 *   time, silence where nothing was captured; `…/video/….h264`; each picture of a share by itself
 * - beside each but the pictures, `….frames.jsonl`: sequence number, capture time and name of every frame
 * - `<stream>/<epoch>/events/0000000003.json`: each event
 * - `revoked/<stream>.json`, when Zoom took the consent back: everything else of the stream is deleted, and media that
 *   arrive later, on the other stream, are not kept
 *
 * When anything fails the whole batch comes again and overwrites the same objects, also when Lambda cuts it in two.
 */
export function createRecorder(store: ObjectStore) {
  return async (event: KinesisLambdaEvent) => {
    const decoded = decodeKinesisEvent(event);
    const { frames, events, bad, batchItemFailures } = decoded;
    for (const { code, detail } of bad) log({ code, detail });
    try {
      const open = stillToCome(event, batchItemFailures);
      const now = <Item extends { readonly kinesisSequenceNumber: string }>(
        items: readonly Item[],
      ) => items.filter((item) => !open.has(item.kinesisSequenceNumber));
      for (const revoked of now(events).filter(({ name }) => name === 'session_revoked')) {
        const { rtmsStreamId, time } = revoked;
        // Stored before anything is deleted, because a call that stores media looks for it afterwards.
        const body = Buffer.from(JSON.stringify({ rtmsStreamId, time }));
        await store.put(revokedKey(rtmsStreamId), body, JSON_FACTS);
        await store.deleteAll(`${rtmsStreamId}/`);
      }
      const streams = new Set([...now(frames), ...now(events)].map((item) => item.rtmsStreamId));
      for (const rtmsStreamId of streams) {
        if (await store.exists(revokedKey(rtmsStreamId))) continue;
        const isOfIt = (item: { readonly rtmsStreamId: string }) =>
          item.rtmsStreamId === rtmsStreamId;
        await storeMedia(store, now(frames).filter(isOfIt));
        for (const { kinesisSequenceNumber: _, ...fields } of now(events).filter(isOfIt)) {
          const key = `${rtmsStreamId}/${fields.epoch}/events/${padded(fields.sequence)}.json`;
          await store.put(key, Buffer.from(JSON.stringify(fields)), JSON_FACTS);
        }
        // The consent may have been taken back meanwhile, by this function on the other stream.
        if (await store.exists(revokedKey(rtmsStreamId))) await store.deleteAll(`${rtmsStreamId}/`);
      }
    } catch (error) {
      log({ code: 'store_failed', name: error instanceof Error ? error.name : typeof error });
      const itemIdentifier = event.Records[0]?.kinesis.sequenceNumber ?? '';
      return { batchItemFailures: [{ itemIdentifier }] };
    }
    return { batchItemFailures };
  };
}

/** After a change of owner Zoom sends up to a minute of older audio, so capture and receipt may lie apart by that. */
const ODD_LAG_MS = 120_000;

const JSON_FACTS: ObjectFacts = { contentType: 'application/json', metadata: {} };

const revokedKey = (rtmsStreamId: string) => `revoked/${rtmsStreamId}.json`;

/** The records that Lambda sends again because a frame in them is not whole yet. What they hold is stored then. */
function stillToCome(
  { Records }: KinesisLambdaEvent,
  failures: readonly { readonly itemIdentifier: string }[],
): ReadonlySet<string> {
  const numbers = Records.map(({ kinesis }) => kinesis.sequenceNumber);
  const from = failures.map(({ itemIdentifier }) => numbers.indexOf(itemIdentifier));
  return new Set(from.length === 0 ? [] : numbers.slice(Math.max(Math.min(...from), 0)));
}

async function storeMedia(store: ObjectStore, frames: readonly Frame[]): Promise<void> {
  const groups = Map.groupBy(frames, (frame) => {
    const { codec, sampleRateHz, channels, sequence } = frame;
    const isSingle = (FORMATS[codec] ?? UNKNOWN).exporter === undefined;
    return [folderOf(frame), codec, sampleRateHz, channels, isSingle ? sequence : ''].join(' ');
  });
  const folder = await mkdtemp(join(tmpdir(), 'recorder-'));
  try {
    for (const group of groups.values()) await storeGroup(store, group as Group, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Group = [Frame, ...Frame[]];

async function storeGroup(store: ObjectStore, group: Group, folder: string): Promise<void> {
  const [first] = group;
  const { extension, contentType, exporter } = FORMATS[first.codec] ?? UNKNOWN;
  const name = `${folderOf(first)}/${first.capturedAt.toISOString()}-${padded(first.sequence)}`;
  const metadata = {
    'user-name': encodeURIComponent(first.userName),
    'captured-at': first.capturedAt.toISOString(),
    'first-sequence': String(first.sequence),
    'last-sequence': String(group.at(-1)?.sequence),
  };
  if (exporter === undefined) {
    await store.put(`${name}.${extension}`, first.payload, { contentType, metadata });
    return;
  }
  const path = join(folder, `${createHash('sha256').update(name).digest('hex')}.${extension}`);
  const writer = exporter(path, beginOf(group));
  const written: Frame[] = [];
  for (const frame of group) {
    try {
      await writer.write(frame);
      written.push(frame);
    } catch (error) {
      // One odd frame must not cost the others of its source.
      if (!(error instanceof ServiceError)) throw error;
      log({ code: error.code, detail: error.detail });
    }
  }
  await writer.close();
  if (written.length === 0) return;
  await store.put(`${name}.${extension}`, await readFile(path), { contentType, metadata });
  const lines = written.map(({ sequence, capturedAt, userName }) =>
    JSON.stringify({ sequence, capturedAt, userName }),
  );
  const about = { contentType: 'application/x-ndjson', metadata };
  await store.put(`${name}.frames.jsonl`, Buffer.from(`${lines.join('\n')}\n`), about);
}

/** The earliest capture time that the runner's clock confirms. An odd one would put hours of silence before the speech. */
function beginOf(group: Group): number {
  const lagMs = ({ capturedAt, receivedAt }: Frame) => receivedAt.getTime() - capturedAt.getTime();
  const lags = group.map(lagMs).sort((a, b) => a - b);
  const usual = lags[Math.floor(lags.length / 2)] as number;
  const likely = group.filter((frame) => Math.abs(lagMs(frame) - usual) <= ODD_LAG_MS);
  return Math.min(...likely.map(({ capturedAt }) => capturedAt.getTime()));
}

function folderOf(frame: Frame): string {
  const source = encodeURIComponent(sourceKey(frame).replace(' ', '-'));
  return `${frame.rtmsStreamId}/${frame.epoch}/${frame.mediaType}/${source}`;
}

function padded(sequence: number): string {
  return String(sequence).padStart(10, '0');
}

function log(fields: object): void {
  process.stderr.write(`${JSON.stringify({ level: 'error', ...fields })}\n`);
}
