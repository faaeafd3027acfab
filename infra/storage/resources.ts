import type { IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { ICluster } from 'aws-cdk-lib/aws-ecs';
import type { IStream } from 'aws-cdk-lib/aws-kinesis';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { ITopic } from 'aws-cdk-lib/aws-sns';

/**
 * What the service uses instead of making its own: constructs of the same app, or imported ones. Policies of
 * imported keys and topics are not touched; docs/deploy.md says what they must allow.
 */
export interface RtmsKinesisResources {
  /** Takes the place of `network`. */
  readonly vpc?: IVpc;
  /** Where in `vpc` the runners run. @default its private subnets, or the public ones when it has no others */
  readonly vpcSubnets?: SubnetSelection;
  /** Its VPC is used unless `vpc` is given. */
  readonly cluster?: ICluster;
  /** Takes the place of `encryption`. */
  readonly encryptionKey?: IKey;
  readonly mediaStream?: IStream;
  readonly eventsStream?: IStream;
  /** Client ids and secrets of the Zoom apps. */
  readonly credentials?: ISecret;
  /** Webhook secret tokens of the Zoom apps. */
  readonly webhookTokens?: ISecret;
  readonly pagesTopic?: ITopic;
  readonly ticketsTopic?: ITopic;
}
