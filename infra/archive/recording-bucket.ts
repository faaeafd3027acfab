import { Duration, type RemovalPolicy } from 'aws-cdk-lib';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type IBucket,
  type LifecycleRule,
  ObjectLockRetention,
  ObjectOwnership,
  StorageClass,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { ArchiveConfig } from '../config/sections/archive.ts';
import { grantKeyUse } from '../storage/encryption-key.ts';

export interface RecordingBucketProps {
  readonly archive: ArchiveConfig;
  readonly removalPolicy: RemovalPolicy;
  readonly encryptionKey?: IKey | undefined;
}

/** Objects that were overwritten or deleted can be brought back so long, unless Object Lock holds them longer. */
const OLD_VERSIONS = Duration.days(7);
/** Records that nobody can read are of use while somebody looks for the cause. A revocation cannot find them. */
const DAMAGED = Duration.days(30);
const ACCESS_LOGS = Duration.days(90);

const STORAGE_CLASSES = {
  STANDARD_IA: StorageClass.INFREQUENT_ACCESS,
  GLACIER_IR: StorageClass.GLACIER_INSTANT_RETRIEVAL,
  GLACIER: StorageClass.GLACIER,
  DEEP_ARCHIVE: StorageClass.DEEP_ARCHIVE,
} as const;

/**
 * The bucket of recordings: encrypted, closed to the public, reachable over TLS alone, its accesses logged. It keeps versions, so
 * that what somebody overwrites or deletes by mistake can be brought back; the archiver deletes all versions of a revoked session.
 */
export class RecordingBucket extends Construct {
  readonly bucket: IBucket;
  /** Prefix of all keys; empty, or ends with `/`. */
  readonly prefix: string;
  readonly #key: IKey | undefined;

  constructor(scope: Construct, id: string, props: RecordingBucketProps) {
    super(scope, id);
    const { archive, removalPolicy, encryptionKey } = props;
    const { objectLock } = archive;
    this.#key = encryptionKey;
    this.prefix = archive.prefix === undefined ? '' : `${archive.prefix}/`;
    const closed = {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      removalPolicy,
    };
    const accessLogs = new Bucket(this, 'AccessLogs', {
      ...closed,
      // S3 delivers its logs into buckets under its own key only.
      encryption: BucketEncryption.S3_MANAGED,
      versioned: true,
      lifecycleRules: [{ expiration: ACCESS_LOGS, noncurrentVersionExpiration: OLD_VERSIONS }],
    });
    const bucket = new Bucket(this, 'Recordings', {
      ...closed,
      ...(encryptionKey === undefined
        ? { encryption: BucketEncryption.S3_MANAGED }
        : { encryption: BucketEncryption.KMS, encryptionKey, bucketKeyEnabled: true }),
      versioned: true,
      serverAccessLogsBucket: accessLogs as IBucket,
      serverAccessLogsPrefix: 'recordings/',
      lifecycleRules: lifecycle(archive, this.prefix),
      ...(objectLock && {
        objectLockEnabled: true,
        objectLockDefaultRetention:
          objectLock.mode === 'compliance'
            ? ObjectLockRetention.compliance(Duration.days(objectLock.days))
            : ObjectLockRetention.governance(Duration.days(objectLock.days)),
      }),
    });
    this.bucket = bucket as IBucket;
  }

  /** Lets the archiver write and read recordings, and delete them where a revocation does. */
  grantArchive(grantee: IGrantable, { onRevocation, objectLock }: ArchiveConfig): void {
    const deletes = ['s3:DeleteObject', 's3:DeleteObjectVersion'];
    Grant.addToPrincipal({
      grantee,
      actions: [
        's3:GetObject',
        's3:PutObject',
        ...(onRevocation === 'delete' ? deletes : []),
        ...(onRevocation === 'delete' && objectLock ? ['s3:BypassGovernanceRetention'] : []),
      ],
      resourceArns: [this.bucket.arnForObjects(`${this.prefix}*`)],
    });
    // Without the right to list, S3 answers 403 for an object that is not there, which looks like a missing right.
    Grant.addToPrincipal({
      grantee,
      actions: ['s3:ListBucket', 's3:ListBucketVersions'],
      resourceArns: [this.bucket.bucketArn],
    });
    grantKeyUse(this.#key, grantee, 'write');
  }

  /** Lets somebody read recordings: `rtms export --archive` and the like. */
  grantRead(grantee: IGrantable): void {
    Grant.addToPrincipal({
      grantee,
      actions: ['s3:GetObject'],
      resourceArns: [this.bucket.arnForObjects(`${this.prefix}*`)],
    });
    Grant.addToPrincipal({
      grantee,
      actions: ['s3:ListBucket'],
      resourceArns: [this.bucket.bucketArn],
    });
    grantKeyUse(this.#key, grantee, 'read');
  }
}

function lifecycle({ expireDays, transition }: ArchiveConfig, prefix: string): LifecycleRule[] {
  return [
    {
      id: 'Recordings',
      prefix: `${prefix}sessions/`,
      noncurrentVersionExpiration: OLD_VERSIONS,
      abortIncompleteMultipartUploadAfter: Duration.days(1),
      ...(expireDays !== undefined && { expiration: Duration.days(expireDays) }),
      ...(transition && {
        transitions: [
          {
            storageClass: STORAGE_CLASSES[transition.to],
            transitionAfter: Duration.days(transition.afterDays),
          },
        ],
      }),
    },
    {
      id: 'Continued',
      prefix: `${prefix}continued/`,
      noncurrentVersionExpiration: OLD_VERSIONS,
      ...(expireDays !== undefined && { expiration: Duration.days(expireDays) }),
    },
    {
      id: 'Damaged',
      prefix: `${prefix}damaged/`,
      expiration: DAMAGED,
      noncurrentVersionExpiration: OLD_VERSIONS,
    },
  ];
}
