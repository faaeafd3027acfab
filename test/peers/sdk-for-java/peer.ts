import { deepStrictEqual } from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateStreamCommand } from '@aws-sdk/client-kinesis';
import { startKinesisServer } from '../../../local/kinesis/server.ts';
import { connect } from '../../support/kinesis-client.ts';
import { runCommand } from '../command.ts';
import { buildJava } from '../java/java.ts';
import { expectSame } from '../meeting/expect-records.ts';
import { mediaRecordsOf, readStored, type SeenRecord } from '../meeting/written-records.ts';
import type { Peer, PeerWork, ProofLine } from '../peer.ts';

const STREAM = 'media';
const RECORDS = 1_500;
/** What `SdkClient.java` asks for: a stream that is not there, an iterator that is none, a split outside of the shard. */
const ERRORS = [
  'ResourceNotFoundException 400',
  'InvalidArgumentException 400',
  'InvalidArgumentException 400',
];
const FORMATS = [
  { name: 'CBOR, its default', type: 'application/x-amz-cbor-1.1', property: 'true' },
  { name: 'JSON', type: 'application/x-amz-json-1.1', property: 'false' },
] as const;

/** AWS SDK for Java 2 writes media records of protobuf-java to the local Kinesis and reads them; our reader reads them too. */
export const sdkForJavaPeer: Peer = {
  name: 'sdk-for-java',
  needs: ['java', 'maven'],
  isTimeless: true,
  install: buildJava,
  defects: [
    'The local Kinesis spoke JSON alone and refused the CBOR that AWS SDK for Java sends: it speaks both (`local/kinesis/body-format.ts`).',
  ],
  run,
};

async function run({ scratch }: PeerWork): Promise<readonly ProofLine[]> {
  const java = await buildJava();
  const lines: ProofLine[] = [];
  for (const { name, type, property } of FORMATS) {
    const server = await startKinesisServer();
    const client = connect(server.url);
    try {
      await client.send(new CreateStreamCommand({ StreamName: STREAM, ShardCount: 3 }));
      const file = join(scratch, `${property}.jsonl`);
      const properties = [`-Daws.cborEnabled=${property}`];
      const { stdout } = await runCommand(
        ...java.command('rtms.peers.SdkClient', [server.url, STREAM, file], properties),
      );
      const told = stdout
        .trim()
        .split('\n')
        .map((line) => line.split(' '));
      const toldOf = (what: string) =>
        told.filter(([first]) => first === what).map((rest) => rest.slice(1).join(' '));
      deepStrictEqual(new Set([...toldOf('sent'), ...toldOf('got')]), new Set([type]));
      deepStrictEqual(toldOf('error'), ERRORS);
      const seen = (await readFile(file, 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as SeenRecord);
      const written = mediaRecordsOf(await readStored(client, STREAM));
      expectSame(seen, written);
      if (written.length !== RECORDS) throw new Error(`${written.length} records were written`);
      lines.push({
        software: `AWS SDK for Java 2 (Maven), ${name}`,
        version: toldOf('version')[0] ?? '',
        what: 'PutRecords and GetRecords of the local Kinesis; what protobuf-java wrote is read by our decoder, field by field; errors have their classes.',
        figures: `${written.length} records in ${RECORDS / 500} calls, ${toldOf('sent').length} calls in all, ${ERRORS.length} refused as documented`,
      });
    } finally {
      client.destroy();
      await server.close();
    }
  }
  return lines;
}
