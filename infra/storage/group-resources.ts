import type { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import { CfnStreamConsumer, type IStream } from 'aws-cdk-lib/aws-kinesis';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { grantKeyUse } from './encryption-key.ts';

/** What a group of workers reads, and how. */
export interface ConsumeOptions {
  /** Name of the group: letters, digits, `_`, `.` and `-`. */
  readonly group: string;
  /** @default 'media' */
  readonly stream?: 'media' | 'events';
  /** Enhanced fan-out; otherwise the workers poll. @default true */
  readonly push?: boolean;
}

export interface GroupResourcesProps {
  /** Letters, digits, `_`, `.` and `-`; unique among the groups of the stream. */
  readonly name: string;
  readonly stream: IStream;
  /** Registers a consumer for enhanced fan-out. */
  readonly push: boolean;
  readonly removalPolicy: RemovalPolicy;
  readonly encryptionKey?: IKey | undefined;
}

/** What `consumerGroup` of `rtms-kinesis/consumer` needs: its table, and its registered consumer. */
export class GroupResources extends Construct {
  readonly stream: IStream;
  readonly table: Table;
  /** ARN of the registered consumer: the option `consumer` of the group. Undefined for a group that polls. */
  readonly consumerArn: string | undefined;
  readonly #key: IKey | undefined;

  constructor(scope: Construct, id: string, props: GroupResourcesProps) {
    super(scope, id);
    const { name, stream, push, removalPolicy, encryptionKey } = props;
    this.stream = stream;
    this.#key = encryptionKey;
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy,
      ...(encryptionKey && { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey }),
    });
    this.consumerArn = push
      ? new CfnStreamConsumer(this, 'Consumer', {
          consumerName: name,
          streamArn: stream.streamArn,
        }).attrConsumerArn
      : undefined;
  }

  /** Lets a worker of the group share the shards with the others, and read them. */
  grantConsume(grantee: IGrantable): void {
    const allow = (actions: string[], arn: string) =>
      Grant.addToPrincipal({ grantee, actions, resourceArns: [arn] });
    allow(
      ['dynamodb:GetItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem', 'dynamodb:Query'],
      this.table.tableArn,
    );
    grantKeyUse(this.#key, grantee, 'table');
    // A group that is pushed to polls while a subscription cannot be had, as right after a change of owner.
    allow(
      [
        'kinesis:DescribeStreamSummary',
        'kinesis:ListShards',
        'kinesis:GetShardIterator',
        'kinesis:GetRecords',
      ],
      this.stream.streamArn,
    );
    grantKeyUse(this.stream.encryptionKey ?? this.#key, grantee, 'read');
    if (this.consumerArn !== undefined) allow(['kinesis:SubscribeToShard'], this.consumerArn);
  }
}
