import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { sessionKey } from '../../shared/session-table/session-row.ts';

/** Where the row stands. */
interface Table {
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly endpoints: { readonly dynamodb: string };
  readonly table: string;
}

/** DynamoDB's limit of an item. */
const MAX_ROW_BYTES = 400 * 1024;

/** Fills a row up to DynamoDB's limit, within 16 bytes: nothing can be added to it any more, and its end cannot be noted. */
export async function fillRow(aws: Table, rtmsStreamId: string): Promise<void> {
  const { region, credentials, endpoints, table } = aws;
  const client = new DynamoDBClient({ region, credentials, endpoint: endpoints.dynamodb });
  const documents = DynamoDBDocumentClient.from(client);
  const fits = (bytes: number) =>
    documents
      .send(
        new UpdateCommand({
          TableName: table,
          Key: { pk: sessionKey(rtmsStreamId) },
          UpdateExpression: 'SET filler = :filler',
          ExpressionAttributeValues: { ':filler': 'x'.repeat(bytes) },
        }),
      )
      .then(
        () => true,
        () => false,
      );
  let [fitting, tooMuch] = [0, MAX_ROW_BYTES];
  while (tooMuch - fitting > 16) {
    const middle = Math.floor((fitting + tooMuch) / 2);
    if (await fits(middle)) fitting = middle;
    else tooMuch = middle;
  }
  await fits(fitting);
  client.destroy();
}
