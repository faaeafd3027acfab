import { Duration } from 'aws-cdk-lib';
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Queue, QueueEncryption, RedrivePermission } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { grantKeyUse } from '../storage/encryption-key.ts';

const MINUTE = Duration.minutes(1);

/**
 * The job queue: messages of `shared/session-job.ts`. Standard, not FIFO, because the session row decides and a job that
 * arrives twice does no harm.
 */
export class JobQueue extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;
  readonly #key: IKey | undefined;

  constructor(scope: Construct, id: string, props: { readonly encryptionKey?: IKey } = {}) {
    super(scope, id);
    this.#key = props.encryptionKey;
    const encryption =
      props.encryptionKey === undefined
        ? { encryption: QueueEncryption.SQS_MANAGED }
        : { encryption: QueueEncryption.KMS, encryptionMasterKey: props.encryptionKey };
    this.deadLetters = new Queue(this, 'DeadLetters', {
      ...encryption,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
      // Says that this is where others put what they gave up: rules that ask for dead letters leave it alone.
      redriveAllowPolicy: { redrivePermission: RedrivePermission.ALLOW_ALL },
    });
    this.queue = new Queue(this, 'Queue', {
      ...encryption,
      enforceSSL: true,
      // A message is deleted within seconds of its claim, or is of no use: the row remains the truth.
      visibilityTimeout: Duration.seconds(30),
      retentionPeriod: Duration.hours(1),
      receiveMessageWaitTime: Duration.seconds(20),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 5 },
    });
  }

  /** May send jobs. */
  grantSend(grantee: IGrantable): void {
    this.#grant(grantee, ['sqs:SendMessage']);
    grantKeyUse(this.#key, grantee, 'write');
  }

  /** May receive jobs, put them back and delete them. */
  grantReceive(grantee: IGrantable): void {
    this.#grant(grantee, [
      'sqs:ReceiveMessage',
      'sqs:DeleteMessage',
      'sqs:ChangeMessageVisibility',
    ]);
    grantKeyUse(this.#key, grantee, 'read');
  }

  metricOldestAge(): Metric {
    return this.queue.metricApproximateAgeOfOldestMessage({ period: MINUTE, statistic: 'Maximum' });
  }

  metricWaiting(): Metric {
    return this.queue.metricApproximateNumberOfMessagesVisible({ period: MINUTE });
  }

  metricDeadLetters(): Metric {
    return this.deadLetters.metricApproximateNumberOfMessagesVisible({ period: MINUTE });
  }

  #grant(grantee: IGrantable, actions: string[]): Grant {
    return this.queue.grant(grantee, ...actions);
  }
}
