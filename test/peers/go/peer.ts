import assert from 'node:assert/strict';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installWith, runCommand } from '../command.ts';
import { buildFolder, goEnvironment } from '../installs.ts';
import { LOCAL_AWS } from '../local-aws-environment.ts';
import { LiveMeeting } from '../meeting/live-meeting.ts';
import type { Peer, ProofLine } from '../peer.ts';
import {
  assertSameOrder,
  assertSameRecords,
  jsonLines,
  type PrintedUserRecord,
  parseLines,
  readUserRecords,
} from '../user-records.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const THEIR_STREAM = 'packed-by-go';
const RECORDS_OF_MEETING = 50;
const LIBRARY = 'github.com/awslabs/kinesis-aggregation/go/v2';
const GO = { cwd: HERE, env: goEnvironment() };
const PROGRAM = join(buildFolder('go'), 'main');
const SDK = 'github.com/aws/aws-sdk-go-v2/service/kinesis';

export const goPeer: Peer = {
  name: 'go',
  needs: ['go'],
  isTimeless: true,
  install: async () => {
    await installWith('go', ['mod', 'download'], GO);
    await installWith('go', ['build', '-o', PROGRAM, '.'], GO);
  },
  async run({ scratch }) {
    await using meeting = await LiveMeeting.recorded(scratch, RECORDS_OF_MEETING);
    return await judge(meeting);
  },
};

async function judge(meeting: LiveMeeting): Promise<readonly ProofLine[]> {
  const { aws } = meeting.stack;
  const endpoint = aws.endpoints.kinesis;
  const counts: string[] = [];
  for (const stream of [aws.streams.media, aws.streams.events]) {
    const { stdout } = await runCommand(PROGRAM, ['read', endpoint, stream], { env: LOCAL_AWS });
    const { records, aggregates } = await readUserRecords(meeting.kinesis, stream);
    assertSameRecords(records, parseLines<PrintedUserRecord>(stdout));
    counts.push(`${records.length} records in ${aggregates} aggregates of \`${stream}\``);
  }
  const media = await readUserRecords(meeting.kinesis, aws.streams.media);
  const write = ['write', endpoint, THEIR_STREAM];
  const input = jsonLines(media.records);
  const { stdout } = await runCommand(PROGRAM, write, { env: LOCAL_AWS, input });
  const theirs = await readUserRecords(meeting.kinesis, THEIR_STREAM);
  assertSameOrder(media.records, theirs.records);
  assert.equal(theirs.frames, media.frames, 'frames that the kit makes of their aggregates');
  const version = [await versionOf(LIBRARY), `SDK ${await versionOf(SDK)}`].join(', ');
  return [
    {
      software: 'kinesis-aggregation and AWS SDK for Go (Go modules)',
      version,
      what: 'read and take apart both Kinesis streams of a recorded meeting',
      figures: `${counts.join(', ')}, all equal`,
    },
    {
      software: 'kinesis-aggregation and AWS SDK for Go (Go modules)',
      version,
      what: 'the same records as their protobuf type encodes them (it has no packing of its own); the kit reads them',
      figures: `${stdout.trim()} aggregates, ${theirs.records.length} records and ${theirs.frames} frames, all equal`,
    },
  ];
}

async function versionOf(module: string): Promise<string> {
  const args = ['list', '-m', '-f', '{{.Version}}', module];
  return (await runCommand('go', args, GO)).stdout.trim();
}
