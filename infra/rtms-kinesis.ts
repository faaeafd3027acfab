import { Duration, RemovalPolicy, Tags } from 'aws-cdk-lib';
import type { IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { ICluster } from 'aws-cdk-lib/aws-ecs';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IStream } from 'aws-cdk-lib/aws-kinesis';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { type ILogGroup, LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { RecordingArchive } from './archive/recording-archive.ts';
import { type Config, type ConfigInput, readConfig } from './config/schema.ts';
import { Budget } from './monitoring/alarm-topic.ts';
import { DeploymentMetrics, defaultDeployment } from './monitoring/deployment-metrics.ts';
import { Monitoring } from './monitoring/on-call.ts';
import { runnerPrices } from './planning/cost-model.ts';
import { Network } from './runner/network.ts';
import { RunnerService } from './runner/runner-service.ts';
import { SessionCatcher } from './runner/session-catcher.ts';
import { allowLogs, createKey } from './storage/encryption-key.ts';
import { type ConsumeOptions, GroupResources } from './storage/group-resources.ts';
import { RecordStreams } from './storage/record-streams.ts';
import { SessionTable } from './storage/session-table.ts';
import { SyntheticMeeting, syntheticHost } from './synthetic-meeting.ts';
import { acknowledgeFindings } from './validation/acknowledged-findings.ts';
import { excuseFindings } from './validation/excused-findings.ts';
import { Canary } from './webhook/canary.ts';
import { Webhook } from './webhook/endpoint.ts';
import { JobQueue } from './webhook/job-queue.ts';
import { ZoomSecret } from './webhook/zoom-secret.ts';

export { RecordingArchive };

/** Budgets and cost reports see this tag once somebody has activated it as a cost allocation tag: docs/deploy.md. */
const DEPLOYMENT_TAG = 'rtms-kinesis:deployment';

/**
 * What the service uses instead of creating its own: constructs of the same app, or imported ones. Policies of imported
 * keys and topics stay as they are; docs/deploy.md says what they must allow.
 */
interface RtmsKinesisResources {
  /** Takes the place of `network`. */
  readonly vpc?: IVpc;
  /** Where in `vpc` the runners run. @default its private subnets, or its public ones where it has no private ones */
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

/**
 * The whole service, from Zoom's webhook to Kinesis. A stack may hold several; `deployment` tells them apart in metrics,
 * alarms and queries.
 *
 * Over 300 lines because all parts of a deployment are joined here, and nowhere else.
 *
 * ```ts
 * const rtms = new RtmsKinesis(this, 'Rtms', { webhook: { canary: true } });
 * rtms.grantReadEvents(transcriptArchiver);
 * ```
 */
export class RtmsKinesis extends Construct {
  readonly config: Config;
  /** Name of this deployment in its metrics, alarms and queries. */
  readonly deployment: string;
  readonly table: SessionTable;
  readonly jobs: JobQueue;
  readonly webhook: Webhook;
  readonly streams: RecordStreams;
  readonly secret: ZoomSecret;
  readonly runners: RunnerService;
  readonly catcher: SessionCatcher | undefined;
  readonly syntheticMeeting: SyntheticMeeting | undefined;
  /** Where `records.archive` asks for it. */
  readonly archive: RecordingArchive | undefined;
  readonly network: Network;
  readonly removalPolicy: RemovalPolicy;
  readonly encryptionKey: IKey | undefined;
  readonly monitoring: Monitoring;
  /** Log groups of the webhook function, the runners, and the API's access log. */
  readonly logs: Readonly<Record<'webhook' | 'runner' | 'access', ILogGroup>>;

  /**
   * @param resources constructs to use instead of creating them
   * @throws ServiceError `config/invalid` naming every wrong key
   */
  constructor(
    scope: Construct,
    id: string,
    input: ConfigInput = {},
    resources: RtmsKinesisResources = {},
  ) {
    super(scope, id);
    const config = readConfig(input);
    this.config = config;
    const removalPolicy =
      // RETAIN alone would also keep what a failed first deployment made: dozens of empty shards that cost.
      config.onDelete === 'retain'
        ? RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
        : RemovalPolicy.DESTROY;
    this.removalPolicy = removalPolicy;
    const encryptionKey = resources.encryptionKey ?? this.#ownKey(config);
    this.encryptionKey = encryptionKey;
    if (encryptionKey !== undefined) allowLogs(this, encryptionKey);
    const stored = { removalPolicy, ...(encryptionKey && { encryptionKey }) };

    const deployment = config.deployment ?? defaultDeployment(this);
    this.deployment = deployment;
    const metrics = new DeploymentMetrics(deployment);
    const table = new SessionTable(this, 'SessionTable', stored);
    const jobs = new JobQueue(this, 'JobQueue', stored);
    const { catcher } = config.runner;
    const catcherQueue =
      catcher &&
      new JobQueue(this, 'CatcherQueue', {
        ...stored,
        // Lambda refuses a queue that shows a message again while the function may still run.
        visibilityTimeout: Duration.minutes(16),
        deadLetters: jobs.deadLetters,
      });
    this.table = table;
    this.jobs = jobs;
    this.secret = new ZoomSecret(this, 'ZoomSecret', {
      ...stored,
      hasSyntheticApp: config.monitoring.syntheticMeeting,
      existing: { credentials: resources.credentials, tokens: resources.webhookTokens },
    });
    this.streams = new RecordStreams(this, 'RecordStreams', {
      ...stored,
      existing: { media: resources.mediaStream, events: resources.eventsStream },
      records: config.records,
      media: config.zoom.media,
    });
    const network = this.#network(config, resources);
    this.network = network;
    const functionNetwork =
      config.network.kind === 'private' && config.network.functions ? network : undefined;
    const allowedHosts = [
      ...config.zoom.allowedHosts,
      ...(config.monitoring.syntheticMeeting ? [`ws://${syntheticHost(deployment)}`] : []),
    ];
    const logs = {
      webhook: this.#log('WebhookLog'),
      runner: this.#log('RunnerLog'),
      access: this.#log('AccessLog'),
    };
    this.logs = logs;
    this.webhook = new Webhook(this, 'Webhook', {
      deployment,
      webhook: config.webhook,
      zoom: config.zoom,
      allowedHosts,
      table,
      jobs,
      catcherQueue,
      secret: this.secret,
      functionLog: logs.webhook,
      accessLog: logs.access,
      functionNetwork,
    });
    this.runners = new RunnerService(this, 'Runners', {
      deployment,
      metrics,
      runner: config.runner,
      zoom: config.zoom,
      allowedHosts,
      prices: runnerPrices(config),
      network,
      cluster: resources.cluster,
      containerInsights: config.monitoring.containerInsights,
      table,
      jobs,
      catcherQueue,
      streams: this.streams,
      secret: this.secret,
      log: logs.runner,
    });
    this.catcher =
      catcher && catcherQueue
        ? new SessionCatcher(this, 'Catcher', {
            deployment,
            catcher,
            runner: config.runner,
            zoom: config.zoom,
            table,
            jobs,
            queue: catcherQueue,
            streams: this.streams,
            secret: this.secret,
            runners: this.runners,
            // Beside the runners' lines: a session goes from one to the other, and a query finds both.
            log: logs.runner,
            functionNetwork,
          })
        : undefined;
    this.syntheticMeeting = config.monitoring.syntheticMeeting
      ? new SyntheticMeeting(this, 'SyntheticMeeting', {
          deployment,
          metrics,
          webhookUrl: this.webhook.url,
          secret: this.secret,
          streams: this.streams,
          network,
          runners: this.runners,
          log: this.#log('SyntheticLog'),
        })
      : undefined;
    this.archive =
      config.records.archive &&
      new RecordingArchive(this, 'Archive', { rtms: this, archive: config.records.archive });
    this.monitoring = new Monitoring(this, 'Monitoring', {
      monitoring: config.monitoring,
      topics: { pages: resources.pagesTopic, tickets: resources.ticketsTopic },
      encryptionKey,
      observed: {
        deployment,
        metrics,
        webhook: this.webhook,
        jobs,
        streams: this.streams,
        service: this.runners.service,
        catcher: this.catcher,
        runsWithoutTasks: config.runner.minTasks === 0,
        canary: this.#canary(config, functionNetwork),
        syntheticMeeting: this.syntheticMeeting,
        hasArchive: this.archive !== undefined,
        logs,
      },
    });
    this.#addBudget();
    this.#addTags();
    acknowledgeFindings(this);
    excuseFindings(this, config, encryptionKey !== undefined);
  }

  /** Lets a consumer read both Kinesis streams. */
  grantRead(grantee: IGrantable): void {
    this.grantReadMedia(grantee);
    this.grantReadEvents(grantee);
  }

  /** Lets a consumer read audio, video and share. */
  grantReadMedia(grantee: IGrantable): void {
    this.streams.grantReadMedia(grantee);
  }

  /** Lets a consumer read transcript, chat and session events, and no media. */
  grantReadEvents(grantee: IGrantable): void {
    this.streams.grantReadEvents(grantee);
  }

  /**
   * Makes what a group of workers needs to read a stream together (`consumerGroup` of `rtms-kinesis/consumer`): its table
   * and, with `push`, its registered consumer, which costs by the shard and hour. Lets `grantee` be one of the workers.
   *
   * @returns the group, whose table name and consumer ARN go into the worker's options; the same one for the same name
   */
  grantConsume(
    grantee: IGrantable,
    { group, stream = 'media', push = true }: ConsumeOptions,
  ): GroupResources {
    const id = `Group-${group}`;
    const existing = this.node.tryFindChild(id);
    const made =
      existing instanceof GroupResources
        ? existing
        : new GroupResources(this, id, {
            name: group,
            stream: this.streams[stream],
            push,
            removalPolicy: this.removalPolicy,
            encryptionKey: this.encryptionKey,
          });
    made.grantConsume(grantee);
    excuseFindings(this, this.config, this.encryptionKey !== undefined);
    return made;
  }

  #ownKey({ encryption }: Config): IKey | undefined {
    if (encryption === 'aws-managed') return undefined;
    return createKey(this, 'Key', this.removalPolicy);
  }

  #network({ network }: Config, { vpc, cluster, vpcSubnets }: RtmsKinesisResources): Network {
    return new Network(this, 'Network', {
      network,
      vpc: vpc ?? cluster?.vpc,
      vpcSubnets,
      createFlowLog: () => this.#log('FlowLog'),
    });
  }

  #addBudget(): void {
    const { monthlyBudget } = this.config.monitoring;
    if (monthlyBudget === undefined) return;
    new Budget(this, 'Budget', {
      monthlyDollars: monthlyBudget,
      tag: { name: DEPLOYMENT_TAG, value: this.deployment },
      topic: this.monitoring.alarms.tickets,
    });
  }

  /** Tags everything, so that a bill can be split and a budget filtered by deployment. */
  #addTags(): void {
    const tags = { ...this.config.tags, [DEPLOYMENT_TAG]: this.deployment };
    for (const [name, value] of Object.entries(tags)) Tags.of(this).add(name, value);
  }

  #canary({ webhook }: Config, network: Network | undefined): Canary | undefined {
    if (!webhook.canary) return undefined;
    return new Canary(this, 'Canary', {
      webhookUrl: this.webhook.url,
      secret: this.secret,
      log: this.#log('CanaryLog'),
      network,
    });
  }

  #log(id: string): LogGroup {
    return new LogGroup(this, id, {
      // The values of CDK's enum are the days, and the configuration allows no others.
      retention: this.config.logRetentionDays as RetentionDays,
      removalPolicy: this.removalPolicy,
      ...(this.encryptionKey && { encryptionKey: this.encryptionKey }),
    });
  }
}
