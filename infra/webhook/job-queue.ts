import { Duration } from 'aws-cdk-lib';
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Queue, QueueEncryption, RedrivePermission } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { WebhookEnv } from '../../shared/env.ts';
import { grantKeyUse } from '../storage/encryption-key.ts';

const MINUTE = Duration.minutes(1);

/** Environment of a process that sends to the catcher's queue; empty where there is no catcher. */
export function catcherQueueEnv(
  queue: JobQueue | undefined,
): Pick<WebhookEnv, 'CATCHER_QUEUE_URL'> {
  return queue === undefined ? {} : { CATCHER_QUEUE_URL: queue.queue.queueUrl };
}

export interface JobQueueProps {
  readonly encryptionKey?: IKey;
  /**
   * How long a message that was received stays invisible. @default 30 s: a runner deletes a job within seconds of its
   * claim
   */
  readonly visibilityTimeout?: Duration;
  /** Another queue's, to share. @default its own */
  readonly deadLetters?: Queue;
}

/**
 * The queue of jobs (`shared/session-job.ts`) and its dead letters. A standard queue and no FIFO queue, because the session
 * row decides: a job that arrives twice, or late, does no harm.
 */
export class JobQueue extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;
  readonly #key: IKey | undefined;

  constructor(scope: Construct, id: string, props: JobQueueProps = {}) {
    super(scope, id);
    this.#key = props.encryptionKey;
    const encryption =
      props.encryptionKey === undefined
        ? { encryption: QueueEncryption.SQS_MANAGED }
        : { encryption: QueueEncryption.KMS, encryptionMasterKey: props.encryptionKey };
    this.deadLetters =
      props.deadLetters ??
      new Queue(this, 'DeadLetters', {
        ...encryption,
        enforceSSL: true,
        retentionPeriod: Duration.days(14),
        // Marks this as a dead-letter queue. Rules that ask every queue for one of its own then leave it alone.
        redriveAllowPolicy: { redrivePermission: RedrivePermission.ALLOW_ALL },
      });
    this.queue = new Queue(this, 'Queue', {
      ...encryption,
      enforceSSL: true,
      // An older job is of no use, because the row decides.
      visibilityTimeout: props.visibilityTimeout ?? Duration.seconds(30),
      retentionPeriod: Duration.hours(1),
      receiveMessageWaitTime: Duration.seconds(20),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: 5 },
    });
  }

  /** Lets a role send jobs. */
  grantSend(grantee: IGrantable): void {
    this.#grant(grantee, ['sqs:SendMessage']);
    grantKeyUse(this.#key, grantee, 'write');
  }

  /** Lets a runner receive jobs, put them back and delete them. */
  grantReceive(grantee: IGrantable): void {
    this.#grant(grantee, [
      'sqs:ReceiveMessage',
      'sqs:DeleteMessage',
      'sqs:ChangeMessageVisibility',
    ]);
    grantKeyUse(this.#key, grantee, 'read');
  }

  /** Lets a function have Lambda poll the queue for it, beside `grantReceive`. */
  grantPoll(grantee: IGrantable): void {
    this.#grant(grantee, ['sqs:GetQueueAttributes']);
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
