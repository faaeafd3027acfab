import { gzipSync } from 'node:zlib';
import type { Failure } from '../../runner/kinesis/kinesis-error.ts';
import {
  allWritten,
  answer,
  answerAll,
  bodyFor,
  type Script,
  type WireRequest,
} from './scripted-http.ts';

const WRITTEN = { SequenceNumber: '1', ShardId: 'shardId-000000000000' };

/** Does something else to the first request; all others are answered. */
export const first =
  (script: Script): Script =>
  (socket, request) =>
    request.number === 1 ? script(socket, request) : answerAll(socket, request);

export const refuse =
  (status: number, type: string, headers: Readonly<Record<string, string>> = {}): Script =>
  (socket, request) =>
    answer(socket, request, status, { __type: type, message: 'no' }, headers);

/** A whole answer as text, to be cut or lengthened. */
function textOf(request: WireRequest, extra = '', lengthBy = 0): Buffer {
  const type = `content-type: ${request.headers.get('content-type')}\r\n`;
  return typedAs(type + extra, request, lengthBy);
}

/** The same with these headers alone beside its length. */
function typedAs(headers: string, request: WireRequest, lengthBy = 0): Buffer {
  const body = bodyFor(request, allWritten(request));
  const head = `HTTP/1.1 200 OK\r\n${headers}content-length: ${body.length + lengthBy}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

/** Results as they are in the answer to a call with two entries. */
const results =
  (...records: readonly object[]): Script =>
  (socket, request) =>
    answer(socket, request, 200, { FailedRecordCount: 0, Records: records });

function chunksOf(request: WireRequest): Buffer {
  const body = bodyFor(request, allWritten(request));
  const type = request.headers.get('content-type');
  const parts = [body.subarray(0, 10), body.subarray(10)].flatMap((part) => [
    Buffer.from(`${part.length.toString(16)};x=y\r\n`),
    part,
    Buffer.from('\r\n'),
  ]);
  const head = `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\ntransfer-encoding: chunked\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), ...parts, Buffer.from('0\r\nx-trailer: 1\r\n\r\n')]);
}

/** Nothing but a page, as of a proxy. */
export const html =
  (status: number): Script =>
  (socket) => {
    const body = '<html><body>no</body></html>';
    socket.write(
      `HTTP/1.1 ${status} X\r\ncontent-type: text/html\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
  };

/** What happens to a call, and what becomes of its entries; the call after it must go through. `wait`: only a time-out ends it. */
export const TROUBLES: [string, Script, Failure | 'written', 'wait'?][] = [
  ['an answer torn in its head', (socket) => socket.end('HTTP/1.1 200 OK\r\ncont'), 'failed'],
  [
    'an answer torn in its body',
    (socket, request) => socket.end(textOf(request).subarray(0, -5)),
    'failed',
  ],
  [
    'a reset in the middle of an answer',
    (socket, request) =>
      socket.write(textOf(request).subarray(0, -5), () => socket.resetAndDestroy()),
    'failed',
  ],
  ['a reset instead of an answer', (socket) => socket.resetAndDestroy(), 'failed'],
  ['an end instead of an answer, as of an idle connection', (socket) => socket.end(), 'failed'],
  ['no answer', () => {}, 'failed', 'wait'],
  [
    'an answer that stops in its body',
    (socket, request) => socket.write(textOf(request).subarray(0, -5)),
    'failed',
    'wait',
  ],
  [
    'an answer a byte at a time, too slow',
    (socket) => {
      const timer = setInterval(() => socket.write('H'), 20);
      socket.on('close', () => clearInterval(timer));
    },
    'failed',
    'wait',
  ],
  [
    'a length longer than the body',
    (socket, request) => socket.write(textOf(request, '', 7)),
    'failed',
    'wait',
  ],
  [
    'a length shorter than the body',
    (socket, request) => socket.write(textOf(request, '', -7)),
    'failed',
  ],
  [
    'bytes behind the answer',
    (socket, request) => socket.write(Buffer.concat([textOf(request), Buffer.from('HTTP/1.1 ')])),
    'written',
  ],
  [
    'two lengths',
    (socket, request) => socket.write(textOf(request, 'content-length: 1\r\n')),
    'failed',
  ],
  ['an answer in chunks', (socket, request) => socket.write(chunksOf(request)), 'written'],
  [
    'an interim answer first',
    (socket, request) =>
      socket.write(Buffer.concat([Buffer.from('HTTP/1.1 100 Continue\r\n\r\n'), textOf(request)])),
    'written',
  ],
  [
    'an answer that closes its connection',
    (socket, request) => socket.end(textOf(request, 'connection: close\r\n')),
    'written',
  ],
  [
    'an answer of HTTP/1.0 that ends with its connection',
    (socket, request) => {
      const text = textOf(request).toString('latin1');
      const old = text.replace('HTTP/1.1', 'HTTP/1.0').replace(/content-length.*\r\n/, '');
      socket.end(old, 'latin1');
    },
    'written',
  ],
  [
    'two answers, the second one late',
    (socket, request) =>
      socket.write(textOf(request), () => setImmediate(() => socket.write(textOf(request)))),
    'written',
  ],
  [
    'an answer behind empty lines',
    (socket, request) => socket.write(Buffer.concat([Buffer.from('\r\n\r\n'), textOf(request)])),
    'written',
  ],
  [
    'an answer whose lines end without a carriage return',
    (socket) => socket.write('HTTP/1.1 200 OK\ncontent-length: 0\n\n'),
    'failed',
  ],
  [
    'a header in two lines',
    (socket, request) => socket.write(textOf(request, 'x-a: b\r\n c\r\n')),
    'failed',
  ],
  [
    '64 kB of headers',
    (socket, request) => socket.write(textOf(request, `x-a: ${'b'.repeat(65_000)}\r\n`)),
    'failed',
  ],
  [
    'an answer that does not say what it is',
    (socket, request) => socket.write(typedAs('', request)),
    'written',
  ],
  [
    'an answer that says it is something else',
    (socket, request) => socket.write(typedAs('Content-Type: TEXT/PLAIN\r\n', request)),
    'written',
  ],
  [
    'an answer in gzip, which nobody has asked for',
    (socket, request) => {
      const body = gzipSync(bodyFor(request, allWritten(request)));
      const head = `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${body.length}\r\n\r\n`;
      socket.write(Buffer.concat([Buffer.from(head), body]));
    },
    'failed',
  ],
  [
    'a success without a body',
    (socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'),
    'failed',
  ],
  ['an answer that is no HTTP', (socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n\r\n'), 'failed'],
  ['a success in HTML', html(200), 'failed'],
  ['503 with HTML', html(503), 'failed'],
  ['500 with the name of the error', refuse(500, 'InternalFailure'), 'failed'],
  ['a throttle', refuse(400, 'ProvisionedThroughputExceededException'), 'throttled'],
  ['a throttle with a long name', refuse(400, 'com.amazonaws#LimitExceededException'), 'throttled'],
  [
    'a throttle named in a header',
    (socket, request) =>
      answer(socket, request, 400, {}, { 'x-amzn-errortype': 'KMSThrottlingException:http://x/' }),
    'throttled',
  ],
  ['missing rights', refuse(400, 'AccessDeniedException'), 'blocked'],
  ['expired credentials', refuse(400, 'ExpiredTokenException'), 'blocked'],
  ['a refusal of the whole call', refuse(400, 'ValidationException'), 'refused'],
  [
    'an error that body and header name otherwise',
    refuse(400, 'LimitExceededException', { 'x-amzn-errortype': 'ValidationException' }),
    'throttled',
  ],
  [
    'an error under a capital Code',
    (socket, request) => answer(socket, request, 400, { Code: 'AccessDeniedException' }),
    'blocked',
  ],
  ['an error named as what every object has', refuse(400, 'constructor'), 'failed'],
  ['a call that is too large', refuse(413, 'RequestEntityTooLargeException'), 'refused'],
  ...[401, 403, 407, 408, 413, 429].map((status): [string, Script, Failure] => [
    `${status} with HTML`,
    html(status),
    'failed',
  ]),
  ['a result too few', results(WRITTEN), 'failed'],
  ['a result too many', results(WRITTEN, WRITTEN, WRITTEN), 'failed'],
  ['results of nothing', results({}, { SequenceNumber: '1' }), 'failed'],
  [
    'results of entries that are written and are not',
    results(...['a', 'b'].map(() => ({ ...WRITTEN, ErrorCode: 'InternalFailure' }))),
    'failed',
  ],
  [
    'a count of failures that its results know nothing of',
    (socket, request) =>
      answer(socket, request, 200, { ...allWritten(request), FailedRecordCount: 2 }),
    'written',
  ],
  [
    'no results',
    (socket, request) => answer(socket, request, 200, { FailedRecordCount: 0, Records: [] }),
    'failed',
  ],
  [
    'refused entries',
    results(...['a', 'b'].map(() => ({ ErrorCode: 'ProvisionedThroughputExceededException' }))),
    'throttled',
  ],
];
