import { Duration } from 'aws-cdk-lib';
import { type Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import {
  AvailabilityZoneRebalancing,
  FargatePlatformVersion,
  FargateService,
  FargateTaskDefinition,
  LinuxParameters,
  LogDrivers,
  PropagatedTagSource,
} from 'aws-cdk-lib/aws-ecs';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { DnsRecordType, PrivateDnsNamespace } from 'aws-cdk-lib/aws-servicediscovery';
import { Construct } from 'constructs';
import type { SyntheticMeetingEnv } from '../shared/env.ts';
import type { DeploymentMetrics } from './monitoring/deployment-metrics.ts';
import { SYNTHETIC_TASK } from './planning/cost-model.ts';
import type { Network } from './runner/network.ts';
import { CONTAINER_USER, SYNTHETIC_MEETING_FILE } from './runner/runner-image.ts';
import type { RunnerService } from './runner/runner-service.ts';
import type { RecordStreams } from './storage/record-streams.ts';
import type { ZoomSecret } from './webhook/zoom-secret.ts';

export interface SyntheticMeetingProps {
  readonly deployment: string;
  readonly metrics: DeploymentMetrics;
  /** The webhook's public address, without an app. */
  readonly webhookUrl: string;
  readonly secret: ZoomSecret;
  readonly streams: RecordStreams;
  readonly network: Network;
  readonly runners: RunnerService;
  readonly log: ILogGroup;
}

const SERVICE_NAME = 'synthetic';
const SIGNALING_PORT = 8081;
const MEDIA_PORT = 8082;
/** Meetings start a little more than an hour apart, so two hours without one mean that none is played any more. */
const WINDOW = Duration.hours(2);
/** DNS allows this many characters between two dots. */
const MAX_LABEL = 63;

/** The name under which runners reach the task. Allow-lists need it before the task exists, so it is no CDK token. */
export function syntheticHost(deployment: string): string {
  return `${SERVICE_NAME}.${zoneOf(deployment)}`;
}

function zoneOf(deployment: string): string {
  return `${deployment.toLowerCase().slice(0, MAX_LABEL).replace(/-+$/, '')}.rtms.internal`;
}

/**
 * A task that plays Zoom inside the network: it runs a meeting when it starts and every hour, reads back what was written
 * to Kinesis, and reports whether it is complete (docs/synthetic-meeting.md).
 */
export class SyntheticMeeting extends Construct {
  readonly service: FargateService;
  readonly log: ILogGroup;
  readonly #metrics: DeploymentMetrics;

  constructor(scope: Construct, id: string, props: SyntheticMeetingProps) {
    super(scope, id);
    const { network, runners } = props;
    this.#metrics = props.metrics;
    this.log = props.log;
    const securityGroup = new SecurityGroup(this, 'SecurityGroup', {
      vpc: network.vpc,
      description: 'Synthetic meeting: RTMS runners in, on its two ports',
      // The task also has the runners' group, whose outbound rules it uses.
      allowAllOutbound: false,
    });
    for (const port of [SIGNALING_PORT, MEDIA_PORT]) {
      securityGroup.addIngressRule(network.securityGroup, Port.tcp(port), 'RTMS runners');
    }
    const taskDefinition = this.#taskDefinition(props);
    this.service = new FargateService(this, 'Service', {
      cluster: runners.cluster,
      taskDefinition,
      vpcSubnets: network.subnets,
      securityGroups: [network.securityGroup, securityGroup],
      assignPublicIp: network.assignPublicIp,
      platformVersion: FargatePlatformVersion.LATEST,
      desiredCount: 1,
      // Never two at once: a runner would reach either under the name, and one does not know the other's stream.
      minHealthyPercent: 0,
      maxHealthyPercent: 100,
      availabilityZoneRebalancing: AvailabilityZoneRebalancing.DISABLED,
      circuitBreaker: { rollback: true },
      enableExecuteCommand: false,
      propagateTags: PropagatedTagSource.SERVICE,
      enableECSManagedTags: true,
      cloudMapOptions: {
        name: SERVICE_NAME,
        cloudMapNamespace: new PrivateDnsNamespace(this, 'Zone', {
          name: zoneOf(props.deployment),
          vpc: network.vpc,
          description: 'Where RTMS runners find the synthetic meeting',
        }),
        dnsRecordType: DnsRecordType.A,
        dnsTtl: Duration.seconds(10),
      },
    });
    // A deployment replaces the runners first, so that the meeting then played tests the new ones.
    this.service.node.addDependency(
      runners.service,
      taskDefinition.taskRole,
      taskDefinition.obtainExecutionRole(),
    );
    props.streams.grantReadBack(taskDefinition.taskRole);
    props.secret.grantReadSynthetic(taskDefinition.taskRole);
  }

  /** Over two hours: 100 when every meeting arrived completely, 0 when one did not. */
  metricSuccess(): Metric {
    return this.#metrics.of('SyntheticSuccess', Stats.MINIMUM).with({ period: WINDOW });
  }

  #taskDefinition(props: SyntheticMeetingProps): FargateTaskDefinition {
    const { runners, log } = props;
    const definition = new FargateTaskDefinition(this, 'Task', {
      cpu: SYNTHETIC_TASK.cpu,
      memoryLimitMiB: SYNTHETIC_TASK.memoryMiB,
      runtimePlatform: runners.runtimePlatform,
    });
    definition.addContainer(SERVICE_NAME, {
      // The runner's image holds this program too. A new image starts a new task here, which plays a meeting at once.
      image: runners.image,
      entryPoint: ['node', `/app/${SYNTHETIC_MEETING_FILE}`],
      environment: syntheticEnvironment(props),
      memoryLimitMiB: SYNTHETIC_TASK.memoryMiB,
      readonlyRootFilesystem: true,
      user: CONTAINER_USER,
      linuxParameters: new LinuxParameters(this, 'Linux', { initProcessEnabled: true }),
      portMappings: [{ containerPort: SIGNALING_PORT }, { containerPort: MEDIA_PORT }],
      logging: LogDrivers.awsLogs({ logGroup: log, streamPrefix: SERVICE_NAME }),
    });
    return definition;
  }
}

function syntheticEnvironment(props: SyntheticMeetingProps): Record<string, string> {
  return {
    DEPLOYMENT: props.deployment,
    WEBHOOK_URL: props.webhookUrl,
    SYNTHETIC_SECRET_ID: props.secret.synthetic?.secretArn ?? '',
    MEDIA_STREAM: props.streams.media.streamName,
    EVENTS_STREAM: props.streams.events.streamName,
    HOST: syntheticHost(props.deployment),
    BIND_HOST: '0.0.0.0',
    SIGNALING_PORT: String(SIGNALING_PORT),
    MEDIA_PORT: String(MEDIA_PORT),
    MEETING_SECONDS: '20',
    DEADLINE_SECONDS: '60',
    INTERVAL_SECONDS: '3600',
  } satisfies SyntheticMeetingEnv;
}
