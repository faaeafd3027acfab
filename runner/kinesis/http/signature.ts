import { createHmac, hash } from 'node:crypto';

/** What the SDK's providers give. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** One POST to be signed. */
export interface SignedPost {
  /** As {@link canonicalPath} makes it of that in the request. */
  readonly path: string;
  readonly region: string;
  /** Name of the service in the scope of the signature. */
  readonly service: string;
  /** Headers that are signed beside those that the signature itself adds: lower-case names, values without edges of space. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** Unix ms, by the service's clock. */
  readonly atMs: number;
  readonly credentials: AwsCredentials;
}

/**
 * Signs with AWS Signature Version 4 ("Create a signed AWS API request", read 2026-11-27). The key of a day is kept,
 * because four hashes a call would make it.
 */
export class PostSigner {
  #scope = '';
  #secret = '';
  #key: Buffer = Buffer.alloc(0);

  /**
   * @returns all signed headers and `authorization`
   * @throws Error `CredentialsProviderError` when the credentials cannot stand in a header
   */
  sign(post: SignedPost): Record<string, string> {
    const { path, body, credentials, atMs } = post;
    const { accessKeyId, sessionToken } = credentials;
    const time = new Date(atMs).toISOString().replace(/[-:]|\.\d+/g, '');
    const headers: Record<string, string> = { ...post.headers, 'x-amz-date': time };
    if (sessionToken) headers['x-amz-security-token'] = sessionToken;
    if (!isPlain(accessKeyId) || !isPlain(sessionToken ?? '')) throw unusable();
    const names = Object.keys(headers).sort();
    const signed = names.join(';');
    const canonical = [
      'POST',
      path,
      '',
      ...names.map((name) => `${name}:${headers[name]}`),
      '',
      signed,
      hash('sha256', body, 'hex'),
    ].join('\n');
    const scope = `${time.slice(0, 8)}/${post.region}/${post.service}/aws4_request`;
    const toSign = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${hash('sha256', canonical, 'hex')}`;
    const signature = hmac(this.#keyOf(scope, credentials.secretAccessKey), toSign).toString('hex');
    headers['authorization'] =
      `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${signed}, Signature=${signature}`;
    return headers;
  }

  #keyOf(scope: string, secret: string): Buffer {
    if (scope !== this.#scope || secret !== this.#secret) {
      this.#key = scope.split('/').reduce<Buffer>(hmac, Buffer.from(`AWS4${secret}`));
      [this.#scope, this.#secret] = [scope, secret];
    }
    return this.#key;
  }
}

/**
 * The path of a request as its signature has it: without empty segments, `.` and `..`, and encoded once more, percent signs of
 * the first time included (`CanonicalUri` of the same page, for every service but S3). An endpoint's own path would be refused
 * without that, as soon as it has any other character than letters and digits.
 *
 * @param path begins with a slash
 */
export function canonicalPath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  const plain = `/${segments.join('/')}${segments.length > 0 && path.endsWith('/') ? '/' : ''}`;
  return encodeURIComponent(plain)
    .replaceAll('%2F', '/')
    .replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** A line break in a token would begin a header of its own. */
function isPlain(text: string): boolean {
  return /^[\x21-\x7e]*$/.test(text);
}

function unusable(): Error {
  const error = new Error('key id or session token has characters that no header may have');
  return Object.assign(error, { name: 'CredentialsProviderError' });
}
