import {
  CreateTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { OWNER_INDEX } from '../../shared/session-table/session-row.ts';
import { closeServer, listen } from '../../simulator/sockets/listen.ts';
import { otherServers } from './other-servers.ts';

/** The DynamoDB that the local stack uses. `close` ends it, if it is ours. */
export interface LocalDynamoDb {
  readonly port: number;
  close(): Promise<void>;
}

/** Starts dynalite on loopback, unless another emulator serves DynamoDB. */
export async function startDynamoDb(): Promise<LocalDynamoDb> {
  const { dynamodb } = otherServers();
  if (dynamodb !== undefined) return { port: dynamodb, close: () => Promise.resolve() };
  const server = dynalite({ createTableMs: 0 });
  return { port: await listen(server, 0), close: () => closeServer(server) };
}

/** Creates the session table as infra/storage/session-table.ts defines it, and waits until it is active. */
export async function createSessionTable(client: DynamoDBClient, table: string): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'owner', AttributeType: 'S' },
      ],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      GlobalSecondaryIndexes: [
        {
          IndexName: OWNER_INDEX,
          KeySchema: [
            { AttributeName: 'owner', KeyType: 'HASH' },
            { AttributeName: 'pk', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    }),
  );
  let status: string | undefined;
  while (status !== 'ACTIVE') {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: table }));
    status = Table?.TableStatus;
  }
}
