import type * as S3 from '@aws-sdk/client-s3';
import { ServiceError } from '../../../shared/errors.ts';
import { toStoreError } from './store-error.ts';

/** Sends the commands of the AWS SDK: its `S3Client` of any version 3. */
export interface S3Sender {
  // biome-ignore lint/suspicious/noExplicitAny: the commands of one version of the SDK are no type of another one
  send(command: any, options?: any): Promise<any>;
}

export interface StoredObject {
  readonly body: Buffer;
  readonly etag: string;
}

export interface ListedObject {
  readonly key: string;
  readonly sizeBytes: number;
}

/** One version of an object; `versionId` is `null` in a bucket without versions. */
export interface ObjectVersion {
  readonly key: string;
  readonly versionId: string;
  readonly isDeleteMarker: boolean;
}

export interface PutOptions {
  readonly contentType: string;
  /** Names and values, ASCII only: they become HTTP headers. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** The ETag that the object must have, or `none` when there must be no object. Otherwise nothing is written. */
  readonly ifIs: string | 'none';
}

/** A body that is too large for memory. `sha256` in hex: S3 takes nothing else. */
export interface StreamedBody {
  /** Called for each try. */
  readonly stream: () => unknown;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** One call may take this long: 100 MB at 2 MB/s. A connection that is dead would otherwise hold its caller for ever. */
const CALL_TIMEOUT_MS = 60_000;
/** As many as S3 deletes in one call. */
const MOST_KEYS = 1_000;

/**
 * The calls of S3 that an archive needs. A condition that did not hold is an answer.
 *
 * All methods throw ServiceError `archive/store-failed` (may pass) or `archive/store-refused`.
 */
export class ObjectStore {
  readonly bucket: string;
  readonly #s3: typeof S3;
  readonly #client: S3Sender;

  private constructor(s3: typeof S3, client: S3Sender, bucket: string) {
    this.#s3 = s3;
    this.#client = client;
    this.bucket = bucket;
  }

  /** Loads `@aws-sdk/client-s3`. @param client makes the calls, and stays the caller's */
  static async open(client: S3Sender, bucket: string): Promise<ObjectStore> {
    // Loaded here and not at the top: who reads streams alone has no use for S3.
    return new ObjectStore(await import('@aws-sdk/client-s3'), client, bucket);
  }

  /** @returns undefined when there is no such object */
  async get(key: string): Promise<StoredObject | undefined> {
    try {
      return await this.#call(key, async (options) => {
        const command = new this.#s3.GetObjectCommand({ Bucket: this.bucket, Key: key });
        const { Body, ETag = '' }: S3.GetObjectCommandOutput = await this.#client.send(
          command,
          options,
        );
        const body = Buffer.from((await Body?.transformToByteArray()) ?? []);
        return { body, etag: ETag };
      });
    } catch (error) {
      if (isNamed(error, 'NoSuchKey')) return undefined;
      throw error;
    }
  }

  /** @returns undefined when there is no such object */
  async etag(key: string): Promise<string | undefined> {
    try {
      const answer: S3.HeadObjectCommandOutput = await this.#call(key, (options) =>
        this.#client.send(
          new this.#s3.HeadObjectCommand({ Bucket: this.bucket, Key: key }),
          options,
        ),
      );
      return answer.ETag;
    } catch (error) {
      if (isNamed(error, 'NoSuchKey')) return undefined;
      throw error;
    }
  }

  /** @returns false when the condition did not hold: somebody else has written the object */
  async put(
    key: string,
    body: Buffer | StreamedBody,
    { contentType, metadata = {}, ifIs }: PutOptions,
  ): Promise<boolean> {
    const isBuffer = Buffer.isBuffer(body);
    try {
      await this.#call(key, async (options) => {
        const input: S3.PutObjectCommandInput = {
          Bucket: this.bucket,
          Key: key,
          Body: (isBuffer ? body : body.stream()) as Buffer,
          ContentLength: isBuffer ? body.length : body.sizeBytes,
          ...(!isBuffer && { ChecksumSHA256: Buffer.from(body.sha256, 'hex').toString('base64') }),
          ContentType: contentType,
          Metadata: metadata,
          ...(ifIs === 'none' ? { IfNoneMatch: '*' } : { IfMatch: ifIs }),
        };
        await this.#client.send(new this.#s3.PutObjectCommand(input), options);
      });
      return true;
    } catch (error) {
      // 412; 409 when another conditional write of the key was on its way; 404 when what should match was deleted.
      const isAnswer = ['PreconditionFailed', 'ConditionalRequestConflict', 'NoSuchKey'];
      if (isAnswer.some((name) => isNamed(error, name))) return false;
      throw error;
    }
  }

  /** All objects whose keys begin so, by key. */
  async *list(prefix: string): AsyncGenerator<ListedObject, void, undefined> {
    for await (const { Contents = [] } of this.#pages(prefix))
      for (const { Key = '', Size = 0 } of Contents) yield { key: Key, sizeBytes: Size };
  }

  /** Names of the folders right below a folder, without their slash, of those that begin with `start`. */
  async folders(folder: string, start: string): Promise<string[]> {
    const found: string[] = [];
    for await (const { CommonPrefixes = [] } of this.#pages(folder + start, '/'))
      for (const { Prefix = '' } of CommonPrefixes) found.push(Prefix.slice(folder.length, -1));
    return found;
  }

  async *#pages(Prefix: string, Delimiter?: string) {
    let ContinuationToken: string | undefined;
    do {
      const input = { Bucket: this.bucket, Prefix, Delimiter, ContinuationToken };
      const page: S3.ListObjectsV2CommandOutput = await this.#call(Prefix, (options) =>
        this.#client.send(new this.#s3.ListObjectsV2Command(input), options),
      );
      yield page;
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken !== undefined);
  }

  /** Every version of every object whose key begins so, delete markers too: what `list` does not show is there all the same. */
  async *versions(prefix: string): AsyncGenerator<ObjectVersion, void, undefined> {
    let from: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
    for (let isMore = true; isMore; ) {
      const input = { Bucket: this.bucket, Prefix: prefix, ...from };
      const page: S3.ListObjectVersionsCommandOutput = await this.#call(prefix, (options) =>
        this.#client.send(new this.#s3.ListObjectVersionsCommand(input), options),
      );
      for (const { Key = '', VersionId = 'null' } of page.Versions ?? [])
        yield { key: Key, versionId: VersionId, isDeleteMarker: false };
      for (const { Key = '', VersionId = 'null' } of page.DeleteMarkers ?? [])
        yield { key: Key, versionId: VersionId, isDeleteMarker: true };
      from = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
      isMore = page.IsTruncated === true;
    }
  }

  /**
   * Deletes these versions.
   *
   * @param bypassGovernance also what Object Lock protects in governance mode; the role needs that right
   * @returns those that S3 did not delete, with its word for why
   */
  async remove(
    versions: readonly ObjectVersion[],
    bypassGovernance: boolean,
  ): Promise<{ readonly key: string; readonly versionId: string; readonly why: string }[]> {
    const kept: { key: string; versionId: string; why: string }[] = [];
    for (let at = 0; at < versions.length; at += MOST_KEYS) {
      // The version `null` has to be named too: without it a bucket with versions would only get a delete marker more.
      const Objects = versions
        .slice(at, at + MOST_KEYS)
        .map(({ key, versionId }) => ({ Key: key, VersionId: versionId }));
      const command = new this.#s3.DeleteObjectsCommand({
        Bucket: this.bucket,
        Delete: { Objects, Quiet: true },
        ...(bypassGovernance && { BypassGovernanceRetention: true }),
      });
      const { Errors = [] }: S3.DeleteObjectsCommandOutput = await this.#call('', (options) =>
        this.#client.send(command, options),
      );
      for (const { Key = '', VersionId = 'null', Code = 'unknown' } of Errors)
        kept.push({ key: Key, versionId: VersionId, why: Code });
    }
    return kept;
  }

  async #call<T>(
    key: string,
    send: (options: { readonly abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    try {
      return await send({ abortSignal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
    } catch (cause) {
      throw toStoreError(cause, this.bucket, key);
    }
  }
}

function isNamed(error: unknown, name: string): boolean {
  return error instanceof ServiceError && error.detail['name'] === name;
}
