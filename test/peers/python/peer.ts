import assert from 'node:assert/strict';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeMediaRecord } from '../../../shared/record/decode-media-record.ts';
import { runCommand } from '../command.ts';
import { pythonPrograms, pythonVersions } from '../installs.ts';
import { LOCAL_AWS } from '../local-aws-environment.ts';
import { LiveMeeting } from '../meeting/live-meeting.ts';
import type { Peer, ProofLine } from '../peer.ts';
import {
  assertSameOrder,
  assertSameRecords,
  jsonLines,
  type PeerUserRecord,
  type PrintedUserRecord,
  parseLines,
  readUserRecords,
  sha256,
} from '../user-records.ts';

const PACKAGES = [
  'aws-kinesis-agg==1.2.3',
  'boto3==1.44.8',
  'grpcio-tools==1.85.1',
  'protobuf==7.36.2',
] as const;
const HERE = fileURLToPath(new URL('.', import.meta.url));
const PROTO = fileURLToPath(new URL('../../../shared/record/', import.meta.url));
const THEIR_STREAM = 'packed-by-python';
const RECORDS_OF_MEETING = 50;
/** Small, so that their library starts many aggregates. */
const MAX_AGGREGATE_BYTES = 200_000;

interface PrintedMediaRecord extends PrintedUserRecord {
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly payload?: string;
  readonly encodedAgain?: string;
}

const install = () => pythonPrograms('kinesis', PACKAGES);

export const pythonPeer: Peer = {
  name: 'python',
  needs: ['python'],
  isTimeless: true,
  install,
  async run(work) {
    const programs = await install();
    const python = join(programs, 'python');
    const protoc = ['-m', 'grpc_tools.protoc', `-I${PROTO}`, `--python_out=${work.scratch}`];
    await runCommand(python, [...protoc, 'media_record.proto']);
    await using meeting = await LiveMeeting.recorded(work.scratch, RECORDS_OF_MEETING);
    return await judge(meeting, python, work.scratch);
  },
};

async function judge(
  meeting: LiveMeeting,
  python: string,
  scratch: string,
): Promise<readonly ProofLine[]> {
  const env = LOCAL_AWS;
  const { aws } = meeting.stack;
  const endpoint = aws.endpoints.kinesis;
  const read = async (stream: string) => {
    const args = [join(HERE, 'read_stream.py'), endpoint, stream, scratch];
    return parseLines<PrintedMediaRecord>((await runCommand(python, args, { env })).stdout);
  };

  const media = await readUserRecords(meeting.kinesis, aws.streams.media);
  const printedMedia = await read(aws.streams.media);
  assertSameRecords(media.records, printedMedia);
  assertSameMedia(media.records, printedMedia);
  const events = await readUserRecords(meeting.kinesis, aws.streams.events);
  assertSameRecords(events.records, await read(aws.streams.events));

  const writer = [join(HERE, 'write_aggregates.py'), endpoint, THEIR_STREAM];
  const input = jsonLines(media.records);
  const { stdout } = await runCommand(python, [...writer, String(MAX_AGGREGATE_BYTES)], {
    env,
    input,
  });
  const theirs = await readUserRecords(meeting.kinesis, THEIR_STREAM);
  assertSameOrder(media.records, theirs.records);
  assert.equal(theirs.frames, media.frames, 'frames that the kit makes of their aggregates');

  const versions = await pythonVersions(python);
  const bytes = media.records.reduce((sum, { data }) => sum + data.length, 0);
  return [
    {
      software: 'aws-kinesis-agg and boto3 (PyPI)',
      version: versions('aws-kinesis-agg', 'boto3'),
      what: 'read and take apart both Kinesis streams of a recorded meeting',
      figures: `${media.aggregates} aggregates, ${media.records.length} media and ${events.records.length} event records, ${bytes} bytes, all equal`,
    },
    {
      software: 'aws-kinesis-agg and boto3 (PyPI)',
      version: versions('aws-kinesis-agg', 'boto3'),
      what: 'pack the same records, with explicit hash keys among them; the kit reads them',
      figures: `${stdout.trim()} aggregates, ${theirs.records.length} records and ${theirs.frames} frames, all equal`,
    },
    {
      software: 'protobuf for Python, from `media_record.proto` by grpcio-tools (PyPI)',
      version: versions('protobuf', 'grpcio-tools'),
      what: 'reads every MediaRecord as the kit does, and encodes it to the same bytes',
      figures: `${media.records.length} of ${media.records.length}`,
    },
  ];
}

/** 64-bit numbers are text in protobuf's JSON. */
const NUMBERS = ['sequence', 'capturedAtMs', 'receivedAtMs'];

function assertSameMedia(
  ours: readonly PeerUserRecord[],
  printed: readonly PrintedMediaRecord[],
): void {
  const byHash = new Map(ours.map(({ data }) => [sha256(data), data]));
  for (const { sha256: hash, fields, payload, encodedAgain } of printed) {
    const { payload: ownPayload, ...own } = decodeMediaRecord(byHash.get(hash) ?? Buffer.alloc(0));
    const { payloadCrc32: _crc, payload: _empty, ...theirs } = { ...fields };
    for (const name of NUMBERS) theirs[name] = Number(theirs[name]);
    const present = Object.entries(own).filter(([, value]) => value !== undefined);
    assert.deepEqual(theirs, Object.fromEntries(present));
    assert.equal(payload, sha256(ownPayload), 'the payload');
    assert.equal(encodedAgain, hash, 'protobuf encodes what it read to the same bytes');
  }
}
