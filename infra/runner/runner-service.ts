import { Duration, Size, Stack } from 'aws-cdk-lib';
import {
  AvailabilityZoneRebalancing,
  AwsLogDriverMode,
  CfnService,
  Cluster,
  type ContainerDefinition,
  type ContainerImage,
  ContainerInsights,
  CpuArchitecture,
  FargatePlatformVersion,
  FargateService,
  FargateTaskDefinition,
  type ICluster,
  LinuxParameters,
  LogDrivers,
  OperatingSystemFamily,
  PropagatedTagSource,
  type RuntimePlatform,
} from 'aws-cdk-lib/aws-ecs';
import { Grant } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { RunnerPrices } from '../../shared/cost.ts';
import type { RunnerEnv } from '../../shared/env.ts';
import type { Packing } from '../../shared/packing.ts';
import type { Config } from '../config/schema.ts';
import type { DeploymentMetrics } from '../monitoring/deployment-metrics.ts';
import { leastTasks } from '../planning/scaling-rules.ts';
import type { RecordStreams } from '../storage/record-streams.ts';
import type { SessionTable } from '../storage/session-table.ts';
import { catcherQueueEnv, type JobQueue } from '../webhook/job-queue.ts';
import type { ZoomSecret } from '../webhook/zoom-secret.ts';
import type { Network } from './network.ts';
import { CONTAINER_USER, runnerImage } from './runner-image.ts';
import { addRunnerScaling } from './runner-scaling.ts';

export interface RunnerServiceProps {
  readonly deployment: string;
  readonly metrics: DeploymentMetrics;
  readonly runner: Config['runner'];
  readonly zoom: Config['zoom'];
  /** `zoom.allowedHosts`, and the synthetic meeting's host. */
  readonly allowedHosts: readonly string[];
  readonly prices: RunnerPrices;
  readonly network: Network;
  readonly table: SessionTable;
  readonly jobs: JobQueue;
  readonly catcherQueue: JobQueue | undefined;
  readonly streams: RecordStreams;
  readonly secret: ZoomSecret;
  readonly log: ILogGroup;
  readonly cluster?: ICluster | undefined;
  readonly containerInsights: boolean;
}

const HEALTH_PORT = 8081;
/** The one folder of the image that is no part of its read-only file system. */
export const SPOOL_DIR = '/var/spool/rtms';
/** Room for the image on a task's disk, beside the spool: pulled and unpacked. */
const IMAGE_GIB = 6;
/** The smallest disk that Fargate lets a task choose. */
const MIN_DISK_GIB = 21;
/** The longest that Fargate allows. Other runners take over, as from a dead owner, what a drain does not finish in it. */
const STOP_TIMEOUT = Duration.seconds(120);

/** Share of the container's memory for the V8 heap; buffers of records, sockets and code take the rest. */
const HEAP_SHARE = 0.5;

/** Asks the runner's health route, with Node because a slim image has no curl. */
const HEALTH_PROBE = `fetch('http://127.0.0.1:${HEALTH_PORT}/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))`;

/** The Fargate service that holds the sessions. */
export class RunnerService extends Construct {
  readonly service: FargateService;
  /** The image of this release, which also holds the synthetic meeting's program. */
  readonly image: ContainerImage;
  readonly runtimePlatform: RuntimePlatform;
  readonly cluster: ICluster;

  constructor(scope: Construct, id: string, props: RunnerServiceProps) {
    super(scope, id);
    this.cluster =
      props.cluster ??
      // Under exactOptionalPropertyTypes CDK's classes do not satisfy its own interfaces.
      (new Cluster(this, 'Cluster', {
        vpc: props.network.vpc,
        containerInsightsV2: props.containerInsights
          ? ContainerInsights.ENABLED
          : ContainerInsights.DISABLED,
      }) as ICluster);
    this.image = runnerImage(this, props.runner);
    this.runtimePlatform = {
      cpuArchitecture:
        props.runner.architecture === 'arm64' ? CpuArchitecture.ARM64 : CpuArchitecture.X86_64,
      operatingSystemFamily: OperatingSystemFamily.LINUX,
    };
    const taskDefinition = this.#taskDefinition(props);
    this.service = new FargateService(this, 'Service', {
      cluster: this.cluster,
      taskDefinition,
      vpcSubnets: props.network.subnets,
      securityGroups: [props.network.securityGroup],
      assignPublicIp: props.network.assignPublicIp,
      platformVersion: FargatePlatformVersion.LATEST,
      // No desiredCount: each deployment would set it again, whatever scaling has chosen.
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      circuitBreaker: { rollback: true },
      // Rebalancing would stop tasks that hold sessions only to spread them over zones.
      availabilityZoneRebalancing: AvailabilityZoneRebalancing.DISABLED,
      enableExecuteCommand: false,
      // Tasks are most of the bill; without these two their cost carries no tag.
      propagateTags: PropagatedTagSource.SERVICE,
      enableECSManagedTags: true,
    });
    // Old tasks that are protected may run on for hours. A deployment that waits for them fails after three hours, and
    // scale-in stands still until then.
    if (this.service.node.defaultChild instanceof CfnService) {
      this.service.node.defaultChild.addPropertyOverride(
        'DeploymentConfiguration.EarlySuccessCriteria',
        { Enable: true, HealthyPercent: 100, SourceServiceRevisionCleanup: 'DEFERRED' },
      );
    }
    this.#grantTask(props);
    // Tasks that start before these exist cannot pull their image or reach anything. A few such failures trip the
    // circuit breaker, and the first deployment rolls back.
    this.service.node.addDependency(
      props.network.vpc,
      taskDefinition.taskRole,
      taskDefinition.obtainExecutionRole(),
    );
    addRunnerScaling(this.service, props.runner, props.jobs, props.metrics);
  }

  #taskDefinition(props: RunnerServiceProps): FargateTaskDefinition {
    const { runner, log } = props;
    const definition = new FargateTaskDefinition(this, 'Task', {
      cpu: runner.cpu,
      memoryLimitMiB: runner.memoryMiB,
      ephemeralStorageGiB: Math.max(MIN_DISK_GIB, runner.spoolGiB + IMAGE_GIB),
      runtimePlatform: this.runtimePlatform,
      volumes: [{ name: 'spool' }],
    });
    const container = definition.addContainer('runner', {
      image: this.image,
      environment: {
        ...runnerEnvironment(props),
        // Overrides the image's NODE_OPTIONS. V8 does not know of the buffers outside its heap: without a limit it lets
        // the heap grow until the container is killed, with all its sessions.
        NODE_OPTIONS: `--enable-source-maps --max-old-space-size=${Math.floor(runner.memoryMiB * HEAP_SHARE)}`,
      },
      memoryLimitMiB: runner.memoryMiB,
      readonlyRootFilesystem: true,
      user: CONTAINER_USER,
      stopTimeout: STOP_TIMEOUT,
      linuxParameters: new LinuxParameters(this, 'Linux', { initProcessEnabled: true }),
      healthCheck: {
        command: ['CMD', 'node', '-e', HEALTH_PROBE],
        interval: Duration.seconds(10),
        timeout: Duration.seconds(5),
        retries: 3,
        startPeriod: Duration.seconds(30),
      },
      // When CloudWatch is slow, lines (metrics are among them) are lost. A blocking driver would stop the media.
      logging: LogDrivers.awsLogs({
        logGroup: log,
        streamPrefix: 'runner',
        mode: AwsLogDriverMode.NON_BLOCKING,
        maxBufferSize: Size.mebibytes(25),
      }),
    });
    mountSpool(container);
    return definition;
  }

  #grantTask({ table, jobs, catcherQueue, streams, secret, zoom }: RunnerServiceProps): void {
    const grantee = this.service.taskDefinition.taskRole;
    table.grantServe(grantee);
    if (zoom.reconcile !== 'off') table.grantReadAll(grantee);
    jobs.grantReceive(grantee);
    jobs.grantSend(grantee);
    catcherQueue?.grantSend(grantee);
    streams.grantWrite(grantee);
    secret.grantReadCredentials(grantee);
    secret.grantReadSynthetic(grantee);
    Grant.addToPrincipal({
      grantee,
      // DescribeTasks: a runner reads which deployment started its own task.
      actions: ['ecs:DescribeTasks', 'ecs:UpdateTaskProtection'],
      // A task learns its id when it runs, so the role must name all tasks of the cluster.
      resourceArns: [
        Stack.of(this).formatArn({
          service: 'ecs',
          resource: 'task',
          resourceName: `${this.cluster.clusterName}/*`,
        }),
      ],
    });
    Grant.addToPrincipal({
      grantee,
      actions: ['ecs:DescribeServices'],
      // Naming the service would make role and service depend on each other.
      resourceArns: [
        Stack.of(this).formatArn({
          service: 'ecs',
          resource: 'service',
          resourceName: `${this.cluster.clusterName}/*`,
        }),
      ],
    });
  }
}

function runnerEnvironment({
  runner,
  zoom,
  allowedHosts,
  ...props
}: RunnerServiceProps): Record<string, string> {
  return {
    DEPLOYMENT: props.deployment,
    SESSION_TABLE: props.table.table.tableName,
    JOB_QUEUE_URL: props.jobs.queue.queueUrl,
    ZOOM_SECRET_ID: props.secret.credentialsId,
    ALLOWED_HOSTS: allowedHosts.join(','),
    MEDIA_STREAM: props.streams.media.streamName,
    EVENTS_STREAM: props.streams.events.streamName,
    RTMS_MEDIA: JSON.stringify(zoom.media),
    RTMS_PROTOCOL: JSON.stringify(zoom.protocol),
    CAPACITY: String(runner.capacity),
    HEALTH_PORT: String(HEALTH_PORT),
    SECRET_REFRESH_SECONDS: String(zoom.secretRefreshSeconds),
    ZM_RTMS_API_URL: zoom.apiUrl,
    ZM_RTMS_OAUTH_URL: zoom.oauthUrl,
    ZOOM_RECONCILE: zoom.reconcile,
    PUT_RECORDS: runner.putRecords,
    SPOOL_DIR,
    SPOOL_MAX_BYTES: String(runner.spoolGiB * 1024 ** 3),
    MEMORY_MIB: String(runner.memoryMiB),
    PRICES: JSON.stringify(props.prices),
    PACKING: packingOf(runner),
    LOG_LEVEL: 'info',
    ...catcherQueueEnv(props.catcherQueue),
  } satisfies RunnerEnv;
}

function packingOf({ packing, minTasks, headroomSlots, capacity }: Config['runner']): string {
  if (packing === undefined) return 'off';
  const keepTasks = leastTasks(minTasks, headroomSlots, capacity);
  return JSON.stringify({ ...packing, keepTasks } satisfies Packing);
}

function mountSpool(container: ContainerDefinition): void {
  container.addMountPoints({
    sourceVolume: 'spool',
    containerPath: SPOOL_DIR,
    readOnly: false,
  });
}
