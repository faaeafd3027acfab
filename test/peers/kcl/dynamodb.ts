import { DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { waitUntil } from '../meeting/live-meeting.ts';

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
