import { deepStrictEqual } from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { CreateStreamCommand } from '@aws-sdk/client-kinesis';
import { startKinesisServer } from '../../../local/kinesis/server.ts';
import { connect } from '../../support/kinesis-client.ts';
import { selfSigned } from '../../support/rtms/self-signed.ts';
import { runCommand } from '../command.ts';
import { buildJava } from '../java/java.ts';
import { rawLine, readStored, userRecordsOf } from '../meeting/written-records.ts';
import type { Peer, PeerWork, ProofLine } from '../peer.ts';

const STREAM = 'media';

/** Amazon's own producer makes aggregates, and our code takes them apart. */
export const kplPeer: Peer = {
  name: 'kpl',
  needs: ['java', 'maven'],
  isTimeless: true,
  install: buildJava,
  run,
};

async function run({ scratch }: PeerWork): Promise<readonly ProofLine[]> {
  const java = await buildJava();
  const server = await startKinesisServer();
  const client = connect(server.url);
  const front = await startTlsFront(server.port);
  try {
    await client.send(new CreateStreamCommand({ StreamName: STREAM, ShardCount: 3 }));
    const file = join(scratch, 'put.jsonl');
    const { port } = front.address() as AddressInfo;
    const { stdout } = await runCommand(
      ...java.command('rtms.peers.KplProducer', [String(port), STREAM, file]),
    );
    const put = (await readFile(file, 'utf8')).trim().split('\n');
    const stored = await readStored(client, STREAM);
    const users = userRecordsOf(stored);
    deepStrictEqual(users.map(rawLine).toSorted(), put.toSorted());
    const aggregates = new Set(
      users
        .filter(({ subSequenceNumber }) => subSequenceNumber > 0)
        .map(({ shardId, sequenceNumber }) => `${shardId}/${sequenceNumber}`),
    );
    if (aggregates.size === 0) throw new Error('the library made no aggregate');
    return [
      {
        software: 'Kinesis Producer Library (Maven, its native program for Linux)',
        version: /^version (\S+)$/m.exec(stdout)?.[1] ?? 'unknown',
        what: 'Its aggregates are taken apart by our reader, byte for byte, each user record in the shard and with the sequence number that the library was told.',
        figures:
          `${users.length} user records in ${stored.length} Kinesis records, ${aggregates.size} of them aggregates, ` +
          `${server.stats().calls['PutRecords']?.['ok']} calls of PutRecords`,
      },
    ];
  } finally {
    client.destroy();
    front.close();
    await server.close();
  }
}

/** The library speaks TLS alone. */
async function startTlsFront(backendPort: number): Promise<Server> {
  const front = createServer(selfSigned(), (socket) => {
    const backend = connectTcp(backendPort, '127.0.0.1');
    socket.on('error', () => backend.destroy());
    backend.on('error', () => socket.destroy());
    socket.pipe(backend).pipe(socket);
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  return front;
}
