import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import S3rver from '@20minutes/s3rver';
import { closeServer, listen } from '../../simulator/sockets/listen.ts';
import { otherServers } from './other-servers.ts';

/** The S3 that the local stack uses. `close` ends it, if it is ours. */
export interface LocalS3 {
  readonly port: number;
  close(): Promise<void>;
}

/** Errors of S3 that are answered here. */
const REFUSED = { status: 412, code: 'PreconditionFailed' } as const;

/**
 * Starts s3rver on loopback, unless another emulator serves S3. Objects are files below `directory`, so a recording is still
 * there when the stack has ended.
 *
 * s3rver knows neither conditional writes (`If-None-Match`, `If-Match` of a PUT) nor ListObjectVersions, which an archive lives
 * by. Both are answered here, as S3 does for a bucket without versions; everything else is s3rver's.
 */
export async function startS3(directory: string): Promise<LocalS3> {
  const { s3 } = otherServers();
  if (s3 !== undefined) return { port: s3, close: () => Promise.resolve() };
  const s3rver = new S3rver({
    silent: true,
    directory,
    allowMismatchedSignatures: true,
    vhostBuckets: false,
  });
  const answer = s3rver.callback();
  const inOrder = new KeyOrder();
  const server = createServer((request, response) => {
    // The local AWS takes any credentials. s3rver knows one key alone, and lets in whoever brings none.
    delete request.headers.authorization;
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    // One request of an object after another: s3rver writes files in place, and a condition must still hold when it writes.
    void inOrder.run(pathname, async () => {
      const ended = new Promise((resolve) => response.once('close', resolve));
      if (request.method === 'GET' && searchParams.has('versions'))
        await answerVersions(s3rver, pathname, searchParams, response);
      else if (await isRefused(s3rver, request, pathname)) refuse(request, response, REFUSED);
      else await answer(request, response);
      await ended;
    });
  });
  const port = await listen(server, 0);
  return {
    port,
    close: async () => {
      await closeServer(server);
      s3rver.logger.close();
    },
  };
}

/** Runs what has the same key one after another. */
class KeyOrder {
  readonly #last = new Map<string, Promise<void>>();

  run(key: string, work: () => Promise<void>): Promise<void> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const done = before.then(work).catch(() => undefined);
    this.#last.set(key, done);
    return done.then(() => {
      if (this.#last.get(key) === done) this.#last.delete(key);
    });
  }
}

/** Whether the condition of a write does not hold. */
async function isRefused(
  { store }: S3rver,
  { method, headers }: IncomingMessage,
  pathname: string,
): Promise<boolean> {
  const ifMatch = headers['if-match'];
  const ifNoneMatch = headers['if-none-match'];
  if (method !== 'PUT' || (ifMatch === undefined && ifNoneMatch === undefined)) return false;
  const { bucket, key } = placeOf(pathname);
  const isThere = await store.existsObject(bucket, key);
  if (ifNoneMatch !== undefined) return isThere;
  return !isThere || (await store.getMetadata(bucket, key))['etag'] !== ifMatch;
}

/** Answers once all of the request has come, as a client does not read an answer while it still sends. */
function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { status, code }: { readonly status: number; readonly code: string },
): void {
  request.resume();
  request.once('end', () => {
    response.writeHead(status, { 'content-type': 'application/xml' });
    response.end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code></Error>`);
  });
}

/** Every object is its one version, `null`: so S3 answers for a bucket that never had versions. */
async function answerVersions(
  { store }: S3rver,
  pathname: string,
  query: URLSearchParams,
  response: ServerResponse,
): Promise<void> {
  const { bucket } = placeOf(pathname);
  const { objects, isTruncated } = await store.listObjects(bucket, {
    prefix: query.get('prefix') ?? '',
    startAfter: query.get('key-marker') ?? '',
    maxKeys: Number(query.get('max-keys') ?? 1_000),
  });
  const versions = objects.map(
    ({ key, metadata, lastModifiedDate }) =>
      `<Version><Key>${escaped(key)}</Key><VersionId>null</VersionId><IsLatest>true</IsLatest>` +
      `<LastModified>${lastModifiedDate.toISOString()}</LastModified>` +
      `<ETag>${escaped(metadata['etag'] ?? '')}</ETag><Size>${metadata['content-length']}</Size></Version>`,
  );
  const last = objects.at(-1)?.key ?? '';
  const next = isTruncated
    ? `<NextKeyMarker>${escaped(last)}</NextKeyMarker><NextVersionIdMarker>null</NextVersionIdMarker>`
    : '';
  response.writeHead(200, { 'content-type': 'application/xml' });
  response.end(
    '<?xml version="1.0" encoding="UTF-8"?><ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
      `<Name>${bucket}</Name><IsTruncated>${isTruncated}</IsTruncated>${next}${versions.join('')}</ListVersionsResult>`,
  );
}

function placeOf(pathname: string): { readonly bucket: string; readonly key: string } {
  const [, bucket = '', ...rest] = decodeURIComponent(pathname).split('/');
  return { bucket, key: rest.join('/') };
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

const escaped = (text: string): string =>
  text.replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
