import { Duration, type RemovalPolicy } from 'aws-cdk-lib';
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import {
  CfnStream,
  type IStream,
  Stream,
  StreamEncryption,
  StreamMode,
} from 'aws-cdk-lib/aws-kinesis';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { Config } from '../config/schema.ts';
import { meetingLoad, shardsFor } from '../planning/meeting-load.ts';
import { grantKeyUse } from './encryption-key.ts';

export interface RecordStreamsProps {
  readonly records: Config['records'];
  /** What Zoom is asked for; the shard counts follow from it. */
  readonly media: Config['zoom']['media'];
  readonly removalPolicy: RemovalPolicy;
  readonly encryptionKey?: IKey;
  /** Streams of the deployer's, used as they are. */
  readonly existing: {
    readonly media?: IStream | undefined;
    readonly events?: IStream | undefined;
  };
}

/** The two Kinesis streams of `docs/records.md`. */
export class RecordStreams extends Construct {
  readonly media: IStream;
  readonly events: IStream;
  readonly #key: IKey | undefined;

  constructor(scope: Construct, id: string, props: RecordStreamsProps) {
    super(scope, id);
    this.#key = props.encryptionKey;
    const load = meetingLoad(props.media);
    this.media = props.existing.media ?? this.#stream('Media', props, load.media);
    this.events = props.existing.events ?? this.#stream('Events', props, load.events);
  }

  /** Lets a runner write both, and check before writing that they go by partition key. */
  grantWrite(grantee: IGrantable): void {
    const keys = new Set([this.#key]);
    for (const stream of [this.media, this.events]) {
      stream.grant(grantee, 'kinesis:PutRecords', 'kinesis:DescribeStreamSummary');
      if (stream.encryptionKey !== undefined) keys.add(stream.encryptionKey);
    }
    for (const key of keys) grantKeyUse(key, grantee, 'write');
  }

  /** Lets the synthetic meeting read the shards that hold its own records. */
  grantReadBack(grantee: IGrantable): void {
    for (const stream of [this.media, this.events]) {
      stream.grant(
        grantee,
        'kinesis:DescribeStreamSummary',
        'kinesis:ListShards',
        'kinesis:GetShardIterator',
        'kinesis:GetRecords',
      );
      grantKeyUse(stream.encryptionKey ?? this.#key, grantee, 'read');
    }
  }

  grantReadMedia(grantee: IGrantable): void {
    this.media.grantRead(grantee);
  }

  grantReadEvents(grantee: IGrantable): void {
    this.events.grantRead(grantee);
  }

  metricThrottled(stream: IStream): Metric {
    return stream.metricPutRecordsThrottledRecords({
      period: Duration.minutes(1),
      statistic: 'Sum',
    });
  }

  #stream(
    id: string,
    props: RecordStreamsProps,
    load: { bytesPerSecond: number; putsPerSecond: number },
  ): IStream {
    const { capacity, retentionHours } = props.records;
    const stream = new Stream(this, id, {
      retentionPeriod: Duration.hours(retentionHours),
      removalPolicy: props.removalPolicy,
      ...(capacity.mode === 'on-demand'
        ? { streamMode: StreamMode.ON_DEMAND }
        : {
            streamMode: StreamMode.PROVISIONED,
            shardCount: shardsFor(load, capacity.meetings, capacity.shardLoad),
          }),
      ...(props.encryptionKey === undefined
        ? { encryption: StreamEncryption.MANAGED }
        : { encryption: StreamEncryption.KMS, encryptionKey: props.encryptionKey }),
    });
    // With service-managed distribution Kinesis ignores partition keys: order is lost, and the KCL silently drops
    // aggregates. Only on-demand streams have this property; provisioned ones always go by the key.
    if (capacity.mode === 'on-demand' && stream.node.defaultChild instanceof CfnStream) {
      stream.node.defaultChild.recordDistributionStrategy = 'USER_PARTITION_KEY';
      if (id === 'Media' && capacity.warmMiBps !== undefined) {
        stream.node.defaultChild.warmThroughputMiBps = capacity.warmMiBps;
      }
    }
    return stream as IStream;
  }
}
