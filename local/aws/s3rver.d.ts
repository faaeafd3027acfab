declare module '@20minutes/s3rver' {
  import type { IncomingMessage, ServerResponse } from 'node:http';

  interface StoredObject {
    readonly key: string;
    readonly metadata: Readonly<Record<string, string>>;
    readonly lastModifiedDate: Date;
  }

  interface Store {
    putBucket(name: string): Promise<unknown>;
    existsObject(bucket: string, key: string): Promise<boolean>;
    getMetadata(bucket: string, key: string): Promise<Readonly<Record<string, string>>>;
    listObjects(
      bucket: string,
      options: { readonly prefix: string; readonly startAfter: string; readonly maxKeys: number },
    ): Promise<{ readonly objects: readonly StoredObject[]; readonly isTruncated: boolean }>;
  }

  class S3rver {
    readonly store: Store;
    readonly logger: { close(): void };
    constructor(options: {
      readonly silent: boolean;
      readonly directory: string;
      readonly allowMismatchedSignatures: boolean;
      readonly vhostBuckets: boolean;
    });
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  }

  export = S3rver;
}
