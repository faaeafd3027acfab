import { type DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { guarded } from './table-errors.ts';

/**
 * Ids of all meetings of which there is a row, ended ones included. Reads the whole table, in which rows stay for a week:
 * only for who may `dynamodb:Scan`.
 *
 * @throws ServiceError `session/store-failed`, `session/store-refused`
 */
export async function readEntityIds(
  client: DynamoDBDocumentClient,
  table: string,
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  let from: Record<string, unknown> | undefined;
  do {
    const command = new ScanCommand({
      TableName: table,
      ProjectionExpression: 'entityId',
      FilterExpression: 'attribute_exists(entityId)',
      ExclusiveStartKey: from,
    });
    const page = await guarded(() => client.send(command));
    for (const { entityId } of page?.Items ?? []) found.add(String(entityId));
    from = page?.LastEvaluatedKey;
  } while (from !== undefined);
  return found;
}
