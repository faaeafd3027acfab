import { Duration, Stack } from 'aws-cdk-lib';
import type { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { Grant } from 'aws-cdk-lib/aws-iam';
import { EventSourceMapping, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { CatcherEnv } from '../../shared/env.ts';
import { createNodeFunction } from '../bundling/node-function.ts';
import type { Config } from '../config/schema.ts';
import type { RecordStreams } from '../storage/record-streams.ts';
import type { SessionTable } from '../storage/session-table.ts';
import type { JobQueue } from '../webhook/job-queue.ts';
import type { ZoomSecret } from '../webhook/zoom-secret.ts';
import type { Network } from './network.ts';
import type { RunnerService } from './runner-service.ts';

/** The longest that Lambda allows. The function hands its sessions over two minutes before. */
const TIMEOUT = Duration.minutes(15);
/**
 * The most that Lambda hands over without gathering. A second of gathering would be a second in which nobody records, and
 * a burst needs no fewer executions with it: one that runs takes the next messages itself.
 */
const BATCH_SIZE = 10;
/** The smallest that Lambda has, and free of charge. */
const TMP_MIB = 512;
/** Half of it: files that are being removed, and what else writes there, need room as well. */
const SPOOL_BYTES = (TMP_MIB / 2) * 1024 ** 2;
const MINUTE = Duration.minutes(1);

export interface SessionCatcherProps {
  readonly deployment: string;
  readonly catcher: NonNullable<Config['runner']['catcher']>;
  readonly runner: Config['runner'];
  readonly zoom: Config['zoom'];
  readonly table: SessionTable;
  readonly jobs: JobQueue;
  /** The catcher's own queue. */
  readonly queue: JobQueue;
  readonly streams: RecordStreams;
  readonly secret: ZoomSecret;
  readonly runners: RunnerService;
  readonly log: ILogGroup;
  /** The network that functions run in. Unset: outside of any VPC. */
  readonly functionNetwork: Network | undefined;
}

/** The function that serves a stream which no task has claimed, until one has room. */
export class SessionCatcher extends Construct {
  readonly handler: LambdaFunction;

  constructor(scope: Construct, id: string, props: SessionCatcherProps) {
    super(scope, id);
    const { catcher, runner, zoom, queue, runners } = props;
    this.handler = createNodeFunction(this, 'Handler', {
      entry: 'functions/session-catcher/handler.ts',
      description: 'Serves streams that no runner has claimed, until a runner has room',
      logGroup: props.log,
      timeout: TIMEOUT,
      memoryMiB: catcher.memoryMiB,
      tmpMiB: TMP_MIB,
      network: props.functionNetwork,
      reservedConcurrentExecutions: catcher.reservedConcurrency,
      environment: {
        DEPLOYMENT: props.deployment,
        SESSION_TABLE: props.table.table.tableName,
        JOB_QUEUE_URL: props.jobs.queue.queueUrl,
        CATCHER_QUEUE_URL: queue.queue.queueUrl,
        ZOOM_SECRET_ID: props.secret.credentials.secretArn,
        ALLOWED_HOSTS: zoom.allowedHosts.join(','),
        MEDIA_STREAM: props.streams.media.streamName,
        EVENTS_STREAM: props.streams.events.streamName,
        RTMS_MEDIA: JSON.stringify(zoom.media),
        RTMS_PROTOCOL: JSON.stringify(zoom.protocol),
        CAPACITY: String(catcher.capacity),
        SECRET_REFRESH_SECONDS: String(zoom.secretRefreshSeconds),
        ZM_RTMS_API_URL: zoom.apiUrl,
        ZM_RTMS_OAUTH_URL: zoom.oauthUrl,
        PUT_RECORDS: runner.putRecords,
        SPOOL_DIR: '/tmp/spool',
        SPOOL_MAX_BYTES: String(SPOOL_BYTES),
        RUNNER_CLUSTER: runners.cluster.clusterName,
        RUNNER_SERVICE: runners.service.serviceName,
        TASK_CAPACITY: String(runner.capacity),
        MAX_TASKS: String(runner.maxTasks),
        LOG_LEVEL: 'info',
      } satisfies CatcherEnv,
    });
    props.table.grantServe(this.handler);
    props.jobs.grantSend(this.handler);
    queue.grantSend(this.handler);
    queue.grantReceive(this.handler);
    queue.grantPoll(this.handler);
    props.streams.grantWrite(this.handler);
    props.secret.grantReadCredentials(this.handler);
    this.#grantStartTasks(runners);
    const source = new EventSourceMapping(this, 'Source', {
      target: this.handler,
      eventSourceArn: queue.queue.queueArn,
      batchSize: BATCH_SIZE,
      reportBatchItemFailures: true,
    });
    // Lambda refuses a mapping whose function may not receive from the queue yet.
    if (this.handler.role !== undefined) source.node.addDependency(this.handler.role);
  }

  /** Invocations that Lambda had no concurrency for: their streams wait for a task. */
  metricThrottles(): Metric {
    return this.handler.metricThrottles({ period: MINUTE, statistic: 'Sum' });
  }

  metricErrors(): Metric {
    return this.handler.metricErrors({ period: MINUTE, statistic: 'Sum' });
  }

  metricExecutions(): Metric {
    return this.handler.metric('ConcurrentExecutions', { period: MINUTE, statistic: 'Maximum' });
  }

  #grantStartTasks({ cluster, service }: RunnerService): void {
    Grant.addToPrincipal({
      grantee: this.handler,
      actions: ['ecs:DescribeServices', 'ecs:UpdateService'],
      resourceArns: [
        Stack.of(this).formatArn({
          service: 'ecs',
          resource: 'service',
          resourceName: `${cluster.clusterName}/${service.serviceName}`,
        }),
      ],
    });
  }
}
