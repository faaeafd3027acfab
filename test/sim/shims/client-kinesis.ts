import { KinesisServiceException } from '@aws-sdk/client-kinesis';
import { LeanClient, type LeanOptions } from '../aws/lean-client.ts';

export * from '@aws-sdk/client-kinesis';

export class KinesisClient extends LeanClient {
  constructor(options: LeanOptions = {}) {
    super(options, 'Kinesis_20131202', KinesisServiceException);
  }
}
