import { SQSServiceException } from '@aws-sdk/client-sqs';
import { LeanClient, type LeanOptions } from '../aws/lean-client.ts';

export * from '@aws-sdk/client-sqs';

export class SQSClient extends LeanClient {
  constructor(options: LeanOptions = {}) {
    super(options, 'AmazonSQS', SQSServiceException);
  }
}
