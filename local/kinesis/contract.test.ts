import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { dirname, join } from 'node:path';
import type { KinesisClient } from '@aws-sdk/client-kinesis';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { connect } from '../../test/support/kinesis-client.ts';
import { waitFor } from '../../test/support/wait.ts';
import { CONSUMER_CASES } from './contract/consumer-cases.ts';
import { LIMIT_CASES } from './contract/limit-cases.ts';
import { PUT_CASES } from './contract/put-cases.ts';
import { READ_CASES } from './contract/read-cases.ts';
import { SHARD_CASES } from './contract/shard-cases.ts';
import { STREAM_CASES } from './contract/stream-cases.ts';
import { type KinesisServer, startKinesisServer } from './server.ts';

const CASES = [
  STREAM_CASES,
  PUT_CASES,
  READ_CASES,
  SHARD_CASES,
  LIMIT_CASES,
  CONSUMER_CASES,
].flat();

for (const protocol of ['HTTP/1.1', 'h2c'] as const) {
  describe(`our Kinesis over ${protocol}`, () => {
    let server: KinesisServer;
    let client: KinesisClient;

    beforeAll(async () => {
      server = await startKinesisServer();
      client = connect(server.url, protocol);
    });

    afterAll(async () => {
      client.destroy();
      await server.close();
    });

    for (const [index, { title, run }] of CASES.entries()) {
      test(title, () => run(client, `contract-${index}`));
    }
  });
}

// Not over h2c: 0.6.2 ends some calls there with a protocol error.
describe('kinesis-local over HTTP/1.1', () => {
  let peer: ChildProcess;
  let client: KinesisClient;

  beforeAll(async () => {
    const [tlsPort, plainPort] = await freePorts();
    peer = startPeer(tlsPort, plainPort);
    client = connect(`http://127.0.0.1:${plainPort}`);
    await waitFor(() => listening(plainPort), { timeout: 60_000, interval: 50 });
  }, 90_000);

  afterAll(async () => {
    client.destroy();
    const exited = once(peer, 'exit');
    peer.kill('SIGKILL');
    await exited;
  });

  for (const [index, { title, run, peerDeviates, peerHangs }] of CASES.entries()) {
    const body = () => run(client, `contract-${index}`);
    // The peer looks for records to push once a second; these cases wait for it side by side.
    const one = CONSUMER_CASES.some((each) => each.title === title) ? test.concurrent : test;
    // Once the peer behaves as the service does, test.fails fails, and peerDeviates has to be removed.
    if (peerHangs !== undefined) one.skip(`${title} (${peerHangs})`, body);
    else if (peerDeviates !== undefined)
      one.fails(`${title} (deviates: ${peerDeviates})`, body, 20_000);
    else one(title, body, 20_000);
  }
});

/** Two ports that were free a moment ago: kinesis-local cannot choose its own. */
async function freePorts(): Promise<[number, number]> {
  const servers = [createServer().listen(0, '127.0.0.1'), createServer().listen(0, '127.0.0.1')];
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports as [number, number];
}

function startPeer(tlsPort: number, plainPort: number): ChildProcess {
  const main = createRequire(import.meta.url).resolve('kinesis-local');
  return spawn(process.execPath, [main], {
    stdio: 'ignore',
    env: {
      KINESIS_MOCK_TLS_PORT: String(tlsPort),
      KINESIS_MOCK_PLAIN_PORT: String(plainPort),
      // It reads its certificate from the working directory otherwise, even for plain HTTP.
      KINESIS_MOCK_CERT_PATH: join(dirname(main), 'server.json'),
      SHARD_LIMIT: '500',
      CREATE_STREAM_DURATION: '10ms',
      DELETE_STREAM_DURATION: '10ms',
      DEREGISTER_STREAM_CONSUMER_DURATION: '10ms',
      MERGE_SHARDS_DURATION: '10ms',
      REGISTER_STREAM_CONSUMER_DURATION: '10ms',
      SPLIT_SHARD_DURATION: '10ms',
      UPDATE_SHARD_COUNT_DURATION: '10ms',
      UPDATE_STREAM_MODE_DURATION: '10ms',
    },
  });
}

async function listening(port: number): Promise<void> {
  const socket = createConnection(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.destroy();
}
