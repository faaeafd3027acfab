import { readCborBody, writeCborAnswer } from '../aws/put-body.ts';

/** How the bodies of a call and its answer are written. */
export type BodyFormat = 'json' | 'cbor';

const CONTENT_TYPES: Readonly<Record<BodyFormat, string>> = {
  json: 'application/x-amz-json-1.1',
  cbor: 'application/x-amz-cbor-1.1',
};
const HEAD = /^POST \S+ HTTP\/1\.1\r\n(?:[\w-]+: [^\r\n]+\r\n)+\r\n$/;
const REASONS: Readonly<Record<number, string>> = { 200: 'OK', 400: 'Bad Request' };

export interface PutRequest {
  /** `x-amz-target` */
  readonly target: string;
  readonly input: Record<string, unknown>;
  readonly format: BodyFormat;
}

/**
 * The request that a client has written to its socket. Its body is copied: a client uses the memory again.
 *
 * @throws Error when it is no request as Kinesis takes it
 */
export function readRequest(bytes: Buffer): PutRequest {
  const bodyAt = bytes.indexOf('\r\n\r\n') + 4;
  const head = bytes.toString('latin1', 0, bodyAt);
  if (!HEAD.test(head)) throw new Error(`no request of HTTP/1.1: ${head}`);
  const header = (name: string): string => {
    const at = head.indexOf(`\r\n${name}: `) + name.length + 4;
    return head.slice(at, head.indexOf('\r', at));
  };
  const body = Buffer.from(bytes.subarray(bodyAt));
  if (body.length !== Number(header('content-length'))) throw new Error('a body of another length');
  const isCbor = header('content-type') === CONTENT_TYPES.cbor;
  return {
    target: header('x-amz-target'),
    input: isCbor ? readCborBody(body) : (JSON.parse(body.toString()) as Record<string, unknown>),
    format: isCbor ? 'cbor' : 'json',
  };
}

/** An answer of Kinesis as its bytes come. @param nowMs by the service's clock */
export function writeAnswer(
  status: number,
  output: string | object,
  format: BodyFormat,
  nowMs: number,
): Buffer {
  const answer = typeof output === 'string' ? (JSON.parse(output) as object) : output;
  const body = format === 'cbor' ? writeCborAnswer(answer) : Buffer.from(JSON.stringify(answer));
  const head =
    `HTTP/1.1 ${status} ${REASONS[status] ?? 'Error'}\r\nx-amzn-requestid: sim\r\ndate: ${httpDate(nowMs)}\r\n` +
    `content-type: ${CONTENT_TYPES[format]}\r\ncontent-length: ${body.length}\r\n\r\n`;
  const bytes = Buffer.allocUnsafe(head.length + body.length);
  bytes.write(head, 0, 'latin1');
  body.copy(bytes, head.length);
  return bytes;
}

let dated = { second: 0, text: '' };

/** A call in a second that has had one already has the same date. */
function httpDate(nowMs: number): string {
  const second = Math.floor(nowMs / 1_000);
  if (dated.second !== second) dated = { second, text: new Date(second * 1_000).toUTCString() };
  return dated.text;
}
