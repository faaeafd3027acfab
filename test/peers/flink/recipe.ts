import { deepStrictEqual } from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { DescribeStreamSummaryCommand, PutRecordCommand } from '@aws-sdk/client-kinesis';
import { MEDIA_PAYLOAD_TYPE } from '../../../rtms/protocol/constants.ts';
import { MEDIA_TYPE_BIT } from '../../../rtms/protocol/media-type.ts';
import { events, type Frame, frames } from '../../../sdk/consumer/index.ts';
import { encodeMediaRecord, splitIntoChunks } from '../../../shared/record/encode-media-record.ts';
import { inPython } from '../../support/python-frames.ts';
import { mediaRecord } from '../../support/test-records.ts';
import { runCommand } from '../command.ts';
import { buildMavenProject } from '../java/java.ts';
import type { LiveMeeting } from '../meeting/live-meeting.ts';
import type { StoredRecord } from '../meeting/written-records.ts';
import { parseLines } from '../user-records.ts';

const PROJECT = fileURLToPath(new URL('../../../docs/examples/flink/', import.meta.url));
const REPEATED_RECORDS = 20;
const CHUNK_BYTES = 400;

export const buildRecipe = () => buildMavenProject('flink-recipe', PROJECT);

/** Puts behind a meeting what a reader must understand and a meeting seldom has: repeats, a late writer, chunks, a gap in them, damage. */
export async function putHardRecords(
  meeting: LiveMeeting,
  stored: readonly StoredRecord[],
): Promise<number> {
  const large = mediaRecord({ mediaType: 4, codec: 5, payload: Buffer.alloc(1_500, 'jpg') });
  const [first = Buffer.alloc(0), second = Buffer.alloc(0), ...rest] = splitIntoChunks(
    large,
    CHUNK_BYTES,
  );
  const other = splitIntoChunks({ ...large, sequence: 2 }, CHUNK_BYTES);
  const damaged = encodeMediaRecord(mediaRecord({ sequence: 3 }));
  damaged[damaged.length - 1] = 0xff;
  const bare = [
    first,
    first,
    second,
    ...rest,
    second,
    ...other.slice(0, 1),
    ...other.slice(2),
    encodeMediaRecord(mediaRecord({ mediaType: 4, sequence: 3 })),
    damaged,
    Buffer.from('{"not":"ours"}'),
    encodeMediaRecord(mediaRecord({ epoch: 2, userId: 4_294_967_295 })),
    encodeMediaRecord(mediaRecord({ sequence: 9 })),
  ].map((data) => ({ data, partitionKey: 'stream-1' }));
  const again = stored.slice(0, REPEATED_RECORDS);
  for (const { data, partitionKey } of [...again, ...bare]) {
    await meeting.kinesis.send(
      new PutRecordCommand({
        StreamName: meeting.streamName,
        PartitionKey: partitionKey,
        Data: data,
      }),
    );
  }
  return again.length + bare.length;
}

/** Runs the job of docs/examples/flink over both streams, and holds what it prints against the kit. */
export async function judgeRecipe(
  meeting: LiveMeeting,
): Promise<{ frames: number; events: number; bad: number }> {
  const java = await buildRecipe();
  const { endpoints, streams } = meeting.stack.aws;
  let bad = 0;
  const reader = {
    client: meeting.kinesis,
    stopAtTip: true,
    onBadRecord: () => {
      bad += 1;
    },
  } as const;
  const wanted: Record<string, unknown>[] = [];
  for await (const frame of frames({ ...reader, streamName: streams.media })) {
    wanted.push(inJava(frame));
  }
  const ids: string[] = [];
  for await (const { id } of events({ ...reader, streamName: streams.events })) ids.push(id);

  const arns = await Promise.all(
    [streams.media, streams.events].map((name) => arnOf(meeting, name)),
  );
  const args = [...arns, String(wanted.length + ids.length), endpoints.kinesis];
  const { stdout } = await runCommand(...java.command('rtms.flink.PrintStreams', args, OPENED));
  const lines = parseLines<Record<string, unknown>>(stdout);
  const found = lines.filter((line) => 'payload' in line);
  const keyOf = (line: Record<string, unknown>) => String(line['partitionKey']);
  deepStrictEqual(
    Object.fromEntries(Map.groupBy(found, keyOf)),
    Object.fromEntries(Map.groupBy(wanted, keyOf)),
  );
  const foundIds = lines.filter((line) => 'specversion' in line).map(({ id }) => id);
  deepStrictEqual(foundIds, ids);
  return { frames: found.length, events: foundIds.length, bad };
}

/** Flink looks into classes of the JDK that Java 17 keeps closed. */
export const OPENED = [
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=error',
  ...['java.lang', 'java.util'].map((name) => `--add-opens=java.base/${name}=ALL-UNNAMED`),
];

export async function arnOf(meeting: LiveMeeting, name: string): Promise<string> {
  const { StreamDescriptionSummary: summary } = await meeting.kinesis.send(
    new DescribeStreamSummaryCommand({ StreamName: name }),
  );
  return summary?.StreamARN ?? '';
}

/** A frame as the job prints it: Zoom's numbers in the place of names. */
function inJava(frame: Frame): Record<string, unknown> {
  const { capturedAt, receivedAt, mediaType, codec, payload: _, ...rest } = frame;
  return {
    ...rest,
    mediaType: MEDIA_TYPE_BIT[mediaType],
    codec: MEDIA_PAYLOAD_TYPE[codec],
    capturedAtMs: capturedAt.getTime(),
    receivedAtMs: receivedAt.getTime(),
    payload: inPython(frame)['payload'],
  };
}
