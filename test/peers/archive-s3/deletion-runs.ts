import assert from 'node:assert/strict';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutBucketVersioningCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { type DeletionRecord, sweepSession } from '../../../sdk/consumer/archive/deletion.ts';
import { addToObject } from '../../../sdk/consumer/archive/merge-put.ts';
import { ObjectStore } from '../../../sdk/consumer/archive/object-store.ts';

/** What a bucket is like in which a session is archived and deleted. */
export interface BucketKind {
  readonly name: string;
  readonly versions: 'never' | 'always' | 'later';
  readonly lock?: 'GOVERNANCE' | 'COMPLIANCE';
}

/** What became of the versions of a session, by how it was deleted. */
export interface DeletionRun {
  readonly versions: number;
  readonly record: DeletionRecord;
}

const DAYS = 1;
const AT_MS = 1_800_000_000_000;
const FOLDER = 'all/sessions/m/';

/** A client of an S3 without credentials of its own. */
export function clientOf(endpoint: string): S3Client {
  return new S3Client({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    forcePathStyle: true,
  });
}

/**
 * Archives a session into a new bucket: an object that is written twice, one that is written once, and one that somebody deleted.
 * Then it is deleted as after a revocation.
 */
export async function deleteSession(
  client: S3Client,
  kind: BucketKind,
  bypassGovernance: boolean,
): Promise<DeletionRun> {
  const Bucket = `${kind.name}-${bypassGovernance ? 'bypass' : 'plain'}`;
  await client.send(
    new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: kind.lock !== undefined }),
  );
  if (kind.versions === 'always') await keepVersions(client, Bucket);
  if (kind.lock) {
    const DefaultRetention = { Mode: kind.lock, Days: DAYS };
    const ObjectLockConfiguration = {
      ObjectLockEnabled: 'Enabled',
      Rule: { DefaultRetention },
    } as const;
    await client.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration }));
  }
  const store = await ObjectStore.open(client, Bucket);
  const written = async (name: string, ...texts: string[]) => {
    for (const text of texts) {
      const union = (objects: readonly Buffer[]) => Buffer.concat([...objects]);
      const object = { contentType: 'text/plain', metadata: {}, union, body: Buffer.from(text) };
      await addToObject(store, { key: FOLDER + name, ...object }, () => true);
    }
  };
  await written('events/once', 'a');
  await written('media/twice', 'b', 'c');
  if (kind.versions === 'later') await keepVersions(client, Bucket);
  await written('media/deleted', 'd');
  await client.send(new DeleteObjectCommand({ Bucket, Key: `${FOLDER}media/deleted` }));
  const versions = await Array.fromAsync(store.versions(FOLDER));
  const options = { prefix: 'all/', rtmsStreamId: 'm', deletes: true, nowMs: AT_MS };
  const record = await sweepSession(store, { ...options, bypassGovernance });
  assert.deepEqual(
    await Array.fromAsync(store.list('all/deletions/')).then((all) => all.length),
    1,
  );
  assert.equal((await Array.fromAsync(store.versions(FOLDER))).length, record.left);
  return { versions: versions.length, record };
}

async function keepVersions(client: S3Client, Bucket: string): Promise<void> {
  const VersioningConfiguration = { Status: 'Enabled' } as const;
  await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
}
