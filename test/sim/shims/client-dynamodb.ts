import {
  ConditionalCheckFailedException,
  DynamoDBServiceException,
} from '@aws-sdk/client-dynamodb';
import { LeanClient, type LeanOptions } from '../aws/lean-client.ts';

export * from '@aws-sdk/client-dynamodb';

type Fields = ConstructorParameters<typeof DynamoDBServiceException>[0];

/** Makes the error classes that our code tells apart. */
const errors = function make(fields: Fields) {
  return fields.name === 'ConditionalCheckFailedException'
    ? new ConditionalCheckFailedException(fields as never)
    : new DynamoDBServiceException(fields);
} as unknown as typeof DynamoDBServiceException;

export class DynamoDBClient extends LeanClient {
  constructor(options: LeanOptions = {}) {
    super(options, 'DynamoDB_20120810', errors);
  }
}
