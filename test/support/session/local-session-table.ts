import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import dynalite from 'dynalite';
import { createSessionTable } from '../../../local/aws/session-table.ts';
import { SessionStore } from '../../../runner/ownership/store.ts';
import { ROW_TRANSLATION } from '../../../shared/session-table/parse-row.ts';
import { type SessionRow, sessionKey, UNOWNED } from '../../../shared/session-table/session-row.ts';

const TABLE = 'sessions';

/** The session table in a DynamoDB on this machine, with a store as the runner has it. */
export interface LocalSessionTable extends AsyncDisposable {
  readonly name: string;
  readonly documents: DynamoDBDocumentClient;
  readonly store: SessionStore;
  /** Writes a row as the webhook function would: started, nobody's, and what `fields` say. */
  start(rtmsStreamId: string, fields?: Partial<SessionRow>): Promise<SessionRow>;
  row(rtmsStreamId: string): Promise<Partial<SessionRow>>;
}

export async function startSessionTable(): Promise<LocalSessionTable> {
  const server = dynalite({ createTableMs: 0 }) as Server;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const client = new DynamoDBClient({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  await createSessionTable(client, TABLE);
  const documents = DynamoDBDocumentClient.from(client, ROW_TRANSLATION);
  return {
    name: TABLE,
    documents,
    store: new SessionStore(documents, TABLE),
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
      await documents.send(new PutCommand({ TableName: TABLE, Item: row }));
      return row;
    },
    async row(rtmsStreamId) {
      const Key = { pk: sessionKey(rtmsStreamId) };
      const command = new GetCommand({ TableName: TABLE, Key, ConsistentRead: true });
      return (await documents.send(command)).Item ?? {};
    },
    async [Symbol.asyncDispose]() {
      client.destroy();
      server.closeAllConnections();
      server.close();
    },
  };
}
