import { ECSServiceException } from '@aws-sdk/client-ecs';
import { LeanClient, type LeanOptions } from '../aws/lean-client.ts';

export * from '@aws-sdk/client-ecs';

export class ECSClient extends LeanClient {
  constructor(options: LeanOptions = {}) {
    super(options, 'AmazonEC2ContainerServiceV20141113', ECSServiceException);
  }
}
