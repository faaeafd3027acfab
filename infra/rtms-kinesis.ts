import { Names, RemovalPolicy } from 'aws-cdk-lib';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledgeFindings } from './acknowledgements.ts';
import { Canary } from './canary.ts';
import { type Config, type ConfigInput, readConfig } from './config.ts';
import { runnerPrices } from './cost/cost-model.ts';
import { JobQueue } from './job-queue.ts';
import { DeploymentMetrics } from './metric.ts';
import { Monitoring } from './monitoring.ts';
import { Network } from './network.ts';
import { RecordStreams } from './record-streams.ts';
import { RunnerService } from './runner-service.ts';
import { ZoomSecret } from './secret.ts';
import { SessionTable } from './session-table.ts';
import { Webhook } from './webhook.ts';

/**
 * Zoom RTMS to Kinesis, whole: put one or more into stacks of your own. `deployment` tells them apart in
 * metrics, alarms and queries.
 *
 * ```ts
 * const rtms = new RtmsKinesis(this, 'Rtms', { webhook: { canary: true } });
 * rtms.grantReadEvents(transcriptArchiver);
 * ```
 */
export class RtmsKinesis extends Construct {
  readonly config: Config;
  /** Tells this deployment's metrics, alarms and queries from another's in the same account. */
  readonly deployment: string;
  readonly table: SessionTable;
  readonly jobs: JobQueue;
  readonly webhook: Webhook;
  readonly streams: RecordStreams;
  readonly secret: ZoomSecret;
  readonly runners: RunnerService;
  readonly monitoring: Monitoring;
  readonly #removalPolicy: RemovalPolicy;

  /** @throws ServiceError `config/invalid` naming every wrong key */
  constructor(scope: Construct, id: string, input: ConfigInput = {}) {
    super(scope, id);
    const config = readConfig(input);
    this.config = config;
    const removalPolicy =
      config.onDelete === 'retain' ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY;
    this.#removalPolicy = removalPolicy;
    const stored = { removalPolicy, ...this.#encryption(config) };

    const deployment = config.deployment ?? defaultDeployment(this);
    this.deployment = deployment;
    const metrics = new DeploymentMetrics(deployment);
    const table = new SessionTable(this, 'SessionTable', stored);
    const jobs = new JobQueue(this, 'JobQueue', stored);
    this.table = table;
    this.jobs = jobs;
    this.secret = new ZoomSecret(this, 'ZoomSecret', stored);
    this.streams = new RecordStreams(this, 'RecordStreams', {
      ...stored,
      records: config.records,
      media: config.zoom.media,
    });
    const logs = { webhook: this.#log('WebhookLog'), runner: this.#log('RunnerLog') };
    this.webhook = new Webhook(this, 'Webhook', {
      deployment,
      webhook: config.webhook,
      zoom: config.zoom,
      table,
      jobs,
      secret: this.secret,
      functionLog: logs.webhook,
      accessLog: this.#log('AccessLog'),
    });
    this.runners = new RunnerService(this, 'Runners', {
      deployment,
      metrics,
      runner: config.runner,
      zoom: config.zoom,
      prices: runnerPrices(config),
      network: this.#network(config),
      table,
      jobs,
      streams: this.streams,
      secret: this.secret,
      log: logs.runner,
    });
    this.monitoring = new Monitoring(this, 'Monitoring', {
      monitoring: config.monitoring,
      dashboardName: deployment,
      observed: {
        deployment,
        metrics,
        webhook: this.webhook,
        jobs,
        streams: this.streams,
        service: this.runners.service,
        canary: this.#canary(config),
        logs,
      },
    });
    acknowledgeFindings(this);
  }

  /** Lets a consumer read both streams. */
  grantRead(grantee: IGrantable): void {
    this.grantReadMedia(grantee);
    this.grantReadEvents(grantee);
  }

  /** Audio, video and share. */
  grantReadMedia(grantee: IGrantable): void {
    this.streams.grantReadMedia(grantee);
  }

  /** Transcript, chat and lifecycle, without any media. */
  grantReadEvents(grantee: IGrantable): void {
    this.streams.grantReadEvents(grantee);
  }

  #encryption(config: Config): { encryptionKey?: Key } {
    if (config.encryption === 'aws-managed') return {};
    const encryptionKey = new Key(this, 'Key', {
      description: 'RTMS sessions, jobs, records and credentials',
      enableKeyRotation: true,
      removalPolicy: this.#removalPolicy,
    });
    return { encryptionKey };
  }

  #network({ network }: Config): Network {
    return new Network(this, 'Network', {
      network,
      createFlowLog: () => this.#log('FlowLog'),
    });
  }

  #canary({ webhook }: Config): Canary | undefined {
    if (!webhook.canary) return undefined;
    return new Canary(this, 'Canary', {
      webhookUrl: this.webhook.url,
      secret: this.secret,
      log: this.#log('CanaryLog'),
    });
  }

  #log(id: string): LogGroup {
    return new LogGroup(this, id, {
      // The enum's values are the days themselves; config allows only those.
      retention: this.config.logRetentionDays as RetentionDays,
      removalPolicy: this.#removalPolicy,
    });
  }
}

/** The construct's path: `RtmsKinesis-dev-Rtms`. Unique in an account and Region unless stacks are renamed. */
function defaultDeployment(scope: Construct): string {
  return Names.uniqueResourceName(scope, {
    maxLength: 64,
    separator: '-',
    allowedSpecialCharacters: '-',
  });
}
