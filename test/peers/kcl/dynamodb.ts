import { join } from 'node:path';
import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { startCommand } from '../command.ts';
import { pythonPrograms } from '../installs.ts';
import { waitUntil } from '../meeting/live-meeting.ts';

const MOTO = '5.2.5';

/**
 * Starts moto's DynamoDB. KCL 3 adds an index to its lease table, which dynalite 4.0.0 refuses for tables without provisioned
 * throughput, and tells of only when it is ready where throughput is given.
 *
 * @returns its URL, and what ends it
 */
export async function startMoto(): Promise<{ url: string; version: string; close: () => void }> {
  const programs = await pythonPrograms('moto', [`moto[server,dynamodb]==${MOTO}`]);
  const child = startCommand(join(programs, 'moto_server'), ['-H', '127.0.0.1', '-p', '0']);
  const url = await new Promise<string>((resolve, reject) => {
    let told = '';
    child.stdout.resume();
    child.once('close', () => reject(new Error(`moto_server ended: ${told.slice(-1_000)}`)));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      // Each request is told too, and nothing of those is kept.
      told = (told + text).slice(-4_000);
      const found = /Running on (http:\/\/127\.0\.0\.1:\d+)/.exec(told)?.[1];
      if (found !== undefined) resolve(found);
    });
  });
  return { url, version: MOTO, close: () => void child.kill('SIGKILL') };
}

/**
 * Waits until a consumer group has its lease table with the index that KCL 3 adds. Two workers that add it in the same moment both
 * fail on this emulator, and one of them does not recover.
 */
export async function leaseTableReady(url: string, group: string): Promise<void> {
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new DynamoDBClient({ endpoint: url, region: 'us-east-1', credentials });
  try {
    await waitUntil('the lease table and its index', async () => {
      const described = await client
        .send(new DescribeTableCommand({ TableName: group }))
        .catch(() => undefined);
      const indexes = described?.Table?.GlobalSecondaryIndexes ?? [];
      return indexes.some(({ IndexStatus }) => IndexStatus === 'ACTIVE');
    });
  } finally {
    client.destroy();
  }
}
