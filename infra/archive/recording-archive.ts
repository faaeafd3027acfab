import { Duration, Size, Stack } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import {
  AwsLogDriverMode,
  FargatePlatformVersion,
  FargateService,
  FargateTaskDefinition,
  LinuxParameters,
  LogDrivers,
  PropagatedTagSource,
} from 'aws-cdk-lib/aws-ecs';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { type ILogGroup, LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { ArchiverEnv } from '../../shared/env.ts';
import { readConfig } from '../config/schema.ts';
import type { ArchiveConfig, ArchiveInput } from '../config/sections/archive.ts';
import type { RtmsKinesis } from '../rtms-kinesis.ts';
import { ARCHIVER_FILE, CONTAINER_USER } from '../runner/runner-image.ts';
import { SPOOL_DIR } from '../runner/runner-service.ts';
import { grantKeyUse } from '../storage/encryption-key.ts';
import { GroupResources } from '../storage/group-resources.ts';
import { acknowledgeArchive } from '../validation/acknowledged-findings.ts';
import { excuseFindings } from '../validation/excused-findings.ts';
import { RecordingBucket } from './recording-bucket.ts';

export interface RecordingArchiveProps {
  /** Whose streams are archived. The archiver runs in its cluster, with its image and in its network, and has its key. */
  readonly rtms: RtmsKinesis;
  /** As `records.archive` of the configuration. @default {} */
  readonly archive?: ArchiveInput;
}

/** What is known once the configuration is read. */
interface Parts extends Pick<RtmsKinesis, 'deployment' | 'streams' | 'runners'> {
  readonly archive: ArchiveConfig;
}

const NAME = 'archiver';
/** What `EVENT_SOURCE` and `DETAIL_TYPE` of functions/archiver/ready-event.ts say: the role may put no other events. */
const EVENT = { source: 'rtms-kinesis', detailType: 'RTMS Recording Ready' } as const;
/** Of the task's memory: V8's heap, and what is gathered, which lies outside of it. */
const HEAP_SHARE = 0.25;
/** A page of records and its frames die young: with V8's 16 MB they are copied before they do, which was a sixth of all CPU. */
const SEMI_SPACE_MIB = 64;
const BUFFER_SHARE = 0.5;
/** An object is written at the latest after this: a checkpoint is never older, so a restart reads no more again. */
const MAX_AGE_SECONDS = 90;
/** Objects on their way are finished, and the shards given away. What takes longer is read again. */
const STOP_TIMEOUT = Duration.seconds(30);
/** The files of a meeting of some hours, beside the image. */
const MEETING_DISK_GIB = 100;

/**
 * The archive: a bucket, and a service that writes every session into it and finalises it when it has ended (docs/archive.md).
 * `records.archive` of the configuration makes it; by itself it stands beside an `RtmsKinesis` that has none.
 */
export class RecordingArchive extends Construct {
  readonly recordings: RecordingBucket;
  readonly service: FargateService;
  readonly log: ILogGroup;
  /** `s3://bucket/prefix`, for `rtms … --archive`. */
  readonly url: string;

  constructor(scope: Construct, id: string, props: RecordingArchiveProps) {
    super(scope, id);
    const { rtms } = props;
    const { deployment, streams, network, runners, removalPolicy, encryptionKey, config } = rtms;
    const archive = readArchive(props.archive);
    this.log = new LogGroup(this, 'Log', {
      // The values of CDK's enum are the days, and the configuration allows no others.
      retention: config.logRetentionDays as RetentionDays,
      removalPolicy,
      ...(encryptionKey && { encryptionKey }),
    });
    this.recordings = new RecordingBucket(this, 'Bucket', {
      archive,
      removalPolicy,
      encryptionKey,
    });
    const { bucket } = this.recordings;
    this.url = `s3://${bucket.bucketName}${archive.prefix === undefined ? '' : `/${archive.prefix}`}`;
    const group = (name: 'media' | 'events') =>
      new GroupResources(this, name === 'media' ? 'MediaGroup' : 'EventsGroup', {
        name: `archive-${name}`,
        stream: streams[name],
        // Nobody waits for the archive, and polling costs nothing beside the shards.
        push: false,
        removalPolicy,
        encryptionKey,
      });
    const groups = { media: group('media'), events: group('events') };
    const sessions = new Table(this, 'Sessions', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy,
      ...(encryptionKey && { encryption: TableEncryption.CUSTOMER_MANAGED, encryptionKey }),
    });
    const taskDefinition = this.#taskDefinition(
      { deployment, streams, runners, archive },
      {
        MEDIA_GROUP_TABLE: groups.media.table.tableName,
        EVENTS_GROUP_TABLE: groups.events.table.tableName,
        ARCHIVE_TABLE: sessions.tableName,
      },
    );
    this.service = new FargateService(this, 'Service', {
      cluster: runners.cluster,
      taskDefinition,
      vpcSubnets: network.subnets,
      securityGroups: [network.securityGroup],
      assignPublicIp: network.assignPublicIp,
      platformVersion: FargatePlatformVersion.LATEST,
      desiredCount: archive.tasks,
      // Old and new tasks are workers of the same groups, and divide the shards as long as both run.
      minHealthyPercent: 100,
      maxHealthyPercent: 200,
      circuitBreaker: { rollback: true },
      enableExecuteCommand: false,
      propagateTags: PropagatedTagSource.SERVICE,
      enableECSManagedTags: true,
    });
    this.service.node.addDependency(
      network.vpc,
      taskDefinition.taskRole,
      taskDefinition.obtainExecutionRole(),
    );
    const grantee = taskDefinition.taskRole;
    for (const made of Object.values(groups)) made.grantConsume(grantee);
    this.recordings.grantArchive(grantee, archive);
    this.#grantRows(grantee, sessions, encryptionKey);
    acknowledgeArchive(this);
    excuseFindings(this, config, encryptionKey !== undefined);
  }

  #grantRows(grantee: IGrantable, sessions: Table, key: IKey | undefined): void {
    Grant.addToPrincipal({
      grantee,
      actions: [
        'dynamodb:BatchWriteItem',
        'dynamodb:DeleteItem',
        'dynamodb:Query',
        'dynamodb:UpdateItem',
      ],
      resourceArns: [sessions.tableArn],
    });
    grantKeyUse(key, grantee, 'table');
    const bus = { service: 'events', resource: 'event-bus', resourceName: 'default' };
    Grant.addToPrincipal({
      grantee,
      actions: ['events:PutEvents'],
      resourceArns: [Stack.of(this).formatArn(bus)],
      conditions: {
        StringEquals: { 'events:source': EVENT.source, 'events:detail-type': EVENT.detailType },
      },
    });
  }

  #taskDefinition(
    parts: Parts,
    tables: Pick<ArchiverEnv, 'MEDIA_GROUP_TABLE' | 'EVENTS_GROUP_TABLE' | 'ARCHIVE_TABLE'>,
  ): FargateTaskDefinition {
    const { archive, runners } = parts;
    const makesFiles = archive.meetingFile !== 'none';
    const definition = new FargateTaskDefinition(this, 'Task', {
      cpu: archive.cpu,
      memoryLimitMiB: archive.memoryMiB,
      runtimePlatform: runners.runtimePlatform,
      ...(makesFiles && { ephemeralStorageGiB: MEETING_DISK_GIB, volumes: [{ name: 'files' }] }),
    });
    const container = definition.addContainer(NAME, {
      // The runner's image holds this program too.
      image: runners.image,
      entryPoint: ['node', `/app/${ARCHIVER_FILE}`],
      environment: {
        ...archiverEnvironment(parts, this.recordings),
        ...tables,
        NODE_OPTIONS: `--enable-source-maps --max-semi-space-size=${SEMI_SPACE_MIB} --max-old-space-size=${Math.floor(archive.memoryMiB * HEAP_SHARE)}`,
        // The one folder of the image that a volume takes the place of; a file of a meeting is made there.
        ...(makesFiles && { TMPDIR: SPOOL_DIR }),
      },
      memoryLimitMiB: archive.memoryMiB,
      readonlyRootFilesystem: true,
      user: CONTAINER_USER,
      stopTimeout: STOP_TIMEOUT,
      linuxParameters: new LinuxParameters(this, 'Linux', { initProcessEnabled: true }),
      logging: LogDrivers.awsLogs({
        logGroup: this.log,
        streamPrefix: NAME,
        mode: AwsLogDriverMode.NON_BLOCKING,
        maxBufferSize: Size.mebibytes(25),
      }),
    });
    if (makesFiles)
      container.addMountPoints({
        sourceVolume: 'files',
        containerPath: SPOOL_DIR,
        readOnly: false,
      });
    return definition;
  }
}

/** @throws ServiceError `config/invalid` naming every wrong key, as for the whole configuration */
function readArchive(archive: ArchiveInput = {}): ArchiveConfig {
  const read = readConfig({ records: { archive } }).records.archive;
  if (read === undefined) throw new Error('the configuration lost the archive that was given');
  return read;
}

function archiverEnvironment(
  { deployment, archive, streams }: Parts,
  { bucket, prefix }: RecordingBucket,
) {
  return {
    DEPLOYMENT: deployment,
    MEDIA_STREAM: streams.media.streamName,
    EVENTS_STREAM: streams.events.streamName,
    ARCHIVE_BUCKET: bucket.bucketName,
    ARCHIVE_PREFIX: prefix,
    ARCHIVE_BUFFER_MIB: String(Math.floor(archive.memoryMiB * BUFFER_SHARE)),
    ARCHIVE_MAX_AGE_SECONDS: String(MAX_AGE_SECONDS),
    ARCHIVE_IDLE_SECONDS: String(archive.idleMinutes * 60),
    ARCHIVE_MEETING_FILE: archive.meetingFile,
    ARCHIVE_ON_REVOCATION: archive.onRevocation,
    ARCHIVE_BYPASS_GOVERNANCE:
      archive.objectLock && archive.onRevocation === 'delete' ? 'yes' : 'no',
    LOG_LEVEL: 'INFO',
  } satisfies Omit<ArchiverEnv, 'MEDIA_GROUP_TABLE' | 'EVENTS_GROUP_TABLE' | 'ARCHIVE_TABLE'>;
}
