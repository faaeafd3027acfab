import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { startDynamoDb } from '../../local/aws/dynamodb.ts';

/** A DynamoDB on this machine with tables of consumer groups. */
export interface GroupTables extends AsyncDisposable {
  /** For the option `dynamodb` of a group. */
  readonly dynamodb: {
    readonly endpoint: string;
    readonly region: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  /** @returns the name of a new table */
  create(): Promise<string>;
}

export async function startGroupTables(): Promise<GroupTables> {
  const server = await startDynamoDb();
  const dynamodb = {
    endpoint: `http://127.0.0.1:${server.port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  };
  const client = new DynamoDBClient(dynamodb);
  let tables = 0;
  return {
    dynamodb,
    async create() {
      tables += 1;
      const TableName = `group-${tables}`;
      await createGroupTable(client, TableName);
      return TableName;
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
      await server.close();
    },
  };
}

/** Makes a table as `rtms.grantConsume` does. */
export async function createGroupTable(client: DynamoDBClient, TableName: string): Promise<void> {
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    }),
  );
}
