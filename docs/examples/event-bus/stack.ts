import { Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Stream } from 'aws-cdk-lib/aws-kinesis';
import { Architecture, Runtime } from 'aws-cdk-lib/aws-lambda';
import { NodejsFunction, OutputFormat } from 'aws-cdk-lib/aws-lambda-nodejs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { CfnPipe } from 'aws-cdk-lib/aws-pipes';
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { DETAIL_TYPE, PATTERNS, SOURCE } from './patterns.ts';

export interface EventsToBusProps extends StackProps {
  /** ARN of the `events` stream: the output `EventsStreamArn` of the deployment. */
  readonly eventsStreamArn: string;
}

/** The largest batch of a pipe whose target is an event bus. */
const BATCH_SIZE = 10;
/** Then the batch is halved, until the record that fails is alone, and it goes to the dead letters. */
const ATTEMPTS = 5;

/** What happens to sessions, on an event bus: a pipe from the `events` stream, and a queue for each of the rules. */
export class EventsToBus extends Stack {
  constructor(scope: Construct, id: string, props: EventsToBusProps) {
    super(scope, id, props);
    const bus = new EventBus(this, 'Bus', { eventBusName: 'rtms-events' });
    // Two, because what failed before the bus and what failed behind it are looked after in different ways.
    const unread = this.#queue('Unread', Duration.days(14));
    const undelivered = this.#queue('Undelivered', Duration.days(14));
    for (const [name, eventPattern] of Object.entries(PATTERNS)) {
      const queue = this.#queue(name, Duration.days(4));
      new Rule(this, `${name}Rule`, {
        eventBus: bus,
        // The types of the CDK want mutable arrays.
        eventPattern: structuredClone(eventPattern) as never,
        targets: [new SqsQueue(queue as IQueue, { deadLetterQueue: undelivered as IQueue })],
      });
    }
    this.#pipe(props.eventsStreamArn, bus, unread);
  }

  #queue(id: string, retentionPeriod: Duration): Queue {
    return new Queue(this, id, {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod,
    });
  }

  #pipe(eventsStreamArn: string, bus: EventBus, unread: Queue): void {
    const events = Stream.fromStreamArn(this, 'Events', eventsStreamArn);
    const envelopes = new NodejsFunction(this, 'Envelopes', {
      entry: new URL('envelopes.ts', import.meta.url).pathname,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      memorySize: 256,
      timeout: Duration.seconds(30),
      bundling: { format: OutputFormat.ESM, mainFields: ['module', 'main'], minify: true },
      logGroup: new LogGroup(this, 'EnvelopesLog', { retention: RetentionDays.ONE_MONTH }),
    });
    const role = new Role(this, 'PipeRole', {
      assumedBy: new ServicePrincipal('pipes.amazonaws.com'),
    });
    events.grantRead(role);
    envelopes.grantInvoke(role);
    bus.grantPutEventsTo(role);
    unread.grantSendMessages(role);
    const pipe = new CfnPipe(this, 'Pipe', {
      roleArn: role.roleArn,
      source: eventsStreamArn,
      // No filter: a record may hold several lines, which are no JSON document, and a filter on `data` drops those.
      sourceParameters: {
        kinesisStreamParameters: {
          startingPosition: 'LATEST',
          batchSize: BATCH_SIZE,
          maximumBatchingWindowInSeconds: 1,
          maximumRetryAttempts: ATTEMPTS,
          onPartialBatchItemFailure: 'AUTOMATIC_BISECT',
          deadLetterConfig: { arn: unread.queueArn },
        },
      },
      enrichment: envelopes.functionArn,
      target: bus.eventBusArn,
      targetParameters: {
        eventBridgeEventBusParameters: { source: SOURCE, detailType: DETAIL_TYPE },
      },
    });
    // CloudFormation checks what the role allows when it creates the pipe.
    pipe.node.addDependency(role);
  }
}
