import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { createSessionTable, startDynamoDb } from '../../../local/aws/dynamodb.ts';
import { otherServers, resourceNames } from '../../../local/aws/other-servers.ts';
import { SessionStore } from '../../../runner/ownership/store.ts';
import { ROW_TRANSLATION } from '../../../shared/session-table/parse-row.ts';
import { type SessionRow, sessionKey, UNOWNED } from '../../../shared/session-table/session-row.ts';

/** The session table in a DynamoDB on this machine, with a store as the runner has it. */
export interface LocalSessionTable extends AsyncDisposable {
  readonly name: string;
  readonly client: DynamoDBClient;
  readonly documents: DynamoDBDocumentClient;
  readonly store: SessionStore;
  /** Writes a row as the webhook function would: started, nobody's, and what `fields` say. */
  start(rtmsStreamId: string, fields?: Partial<SessionRow>): Promise<SessionRow>;
  row(rtmsStreamId: string): Promise<Partial<SessionRow>>;
}

export async function startSessionTable(): Promise<LocalSessionTable> {
  const server = await startDynamoDb();
  const name = resourceNames(otherServers())('sessions');
  const client = new DynamoDBClient({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${server.port}`,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  await createSessionTable(client, name);
  const documents = DynamoDBDocumentClient.from(client, ROW_TRANSLATION);
  return {
    name,
    client,
    documents,
    store: new SessionStore(documents, name),
    async start(rtmsStreamId, fields = {}) {
      const row: SessionRow = {
        pk: sessionKey(rtmsStreamId),
        rtmsStreamId,
        owner: UNOWNED,
        startEventTsMs: 1_000,
        serverUrls: ['wss://a.zoom.us'],
        product: 'meeting',
        entityId: 'e',
        app: 'default',
        requestedAtMs: Date.now(),
        ...fields,
      };
      await documents.send(new PutCommand({ TableName: name, Item: row }));
      return row;
    },
    async row(rtmsStreamId) {
      const Key = { pk: sessionKey(rtmsStreamId) };
      const command = new GetCommand({ TableName: name, Key, ConsistentRead: true });
      return (await documents.send(command)).Item ?? {};
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
      await server.close();
    },
  };
}
