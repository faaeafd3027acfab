import { once } from 'node:events';
import {
  createServer as createHttp1Server,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import {
  constants,
  createServer as createHttp2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from 'node:http2';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import { ServiceError } from '../../shared/errors.ts';

/** One request, by either protocol. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  /** Undefined for a body larger than allowed. */
  readonly body: Buffer | undefined;
  /** Aborts when the client has closed its connection or cancelled the request. */
  readonly gone: AbortSignal;
  answer(
    status: number,
    headers: Readonly<Record<string, string>>,
    body: string | Uint8Array,
  ): void;
  /** Begins an answer that is written piece by piece. */
  stream(headers: Readonly<Record<string, string>>): AnswerStream;
  /** Ends the request without an answer: HTTP/1.1 destroys the connection, HTTP/2 resets this one stream. */
  drop(): void;
}

/** An answer that is written piece by piece. */
export interface AnswerStream {
  /** @returns once there is room for more, or the client is gone */
  write(bytes: Uint8Array): Promise<void>;
  end(): void;
}

/** A server for HTTP/1.1 and HTTP/2 on one port. */
export interface HttpServer {
  readonly port: number;
  /** Destroys all connections. */
  close(): Promise<void>;
}

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

/** HTTP/2 with prior knowledge starts with "PRI * HTTP/2.0" (RFC 9113, 3.4); no HTTP/1.1 method starts so. */
const PREFACE = Buffer.from('PRI');

/** The default window of 64 KiB would stop a 1 MiB record sixteen times. */
const WINDOW_BYTES = 16 * 1024 * 1024;

/**
 * Serves HTTP/1.1 and HTTP/2 without TLS on one port of the loopback interface.
 *
 * @throws ServiceError `local/port-in-use`
 */
export async function startHttpServer(options: {
  port: number;
  maxBodyBytes: number;
  handle: (exchange: Exchange) => Promise<void>;
}): Promise<HttpServer> {
  const sockets = new Set<Socket>();
  const onRequest = (request: Request, response: Response): void => {
    serve(request, response, options.maxBodyBytes, options.handle).catch((cause: unknown) => {
      // The handler answers every ApiError. Anything else is a defect of this server.
      process.emitWarning(cause instanceof Error ? cause : String(cause));
      request.socket.destroy();
    });
  };

  // SDK clients reuse connections: one that this server closes may carry the next request already.
  const http1 = createHttp1Server({ keepAliveTimeout: 600_000 }, onRequest);
  const http2 = createHttp2Server({ settings: { initialWindowSize: WINDOW_BYTES } }, onRequest);
  http2.on('session', (session: ServerHttp2Session) => session.setLocalWindowSize(WINDOW_BYTES));

  const tcp = createTcpServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    handOver(socket, (isHttp2) => (isHttp2 ? http2 : http1).emit('connection', socket));
  });

  const port = await listen(tcp, options.port);
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        tcp.close(() => resolve());
        http1.close(); // stops its connection-checking timer
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Waits for the first three bytes, puts them back, and calls `start` with the protocol that they begin. */
function handOver(socket: Socket, start: (isHttp2: boolean) => void): void {
  let first = Buffer.alloc(0);
  socket.on('readable', function onReadable() {
    first = Buffer.concat([first, (socket.read() as Buffer | null) ?? Buffer.alloc(0)]);
    if (first.length < PREFACE.length) return;
    socket.off('readable', onReadable);
    socket.unshift(first);
    start(PREFACE.equals(first.subarray(0, PREFACE.length)));
  });
}

function listen(tcp: ReturnType<typeof createTcpServer>, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    tcp.once('error', (cause) => {
      const what = `port ${port} cannot be listened on`;
      reject(new ServiceError('local/port-in-use', what, { cause, detail: { port } }));
    });
    tcp.listen(port, '127.0.0.1', () => resolve((tcp.address() as AddressInfo).port));
  });
}

async function serve(
  request: Request,
  response: Response,
  maxBodyBytes: number,
  handle: (exchange: Exchange) => Promise<void>,
): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  response.on('error', () => gone.abort());
  let body: Buffer | undefined;
  try {
    body = await readBody(request, maxBodyBytes);
  } catch {
    return; // The client went away while it was sending.
  }
  await handle({
    method: request.method ?? 'GET',
    path: request.url ?? '/',
    headers: request.headers,
    body,
    gone: gone.signal,
    answer(status, headers, text) {
      if (gone.signal.aborted) return;
      const bytes = typeof text === 'string' ? Buffer.from(text) : text;
      // The responses of both protocols have these two methods, but their union does not type-check.
      const plain = response as ServerResponse;
      plain.writeHead(status, { ...headers, 'content-length': bytes.length }).end(bytes);
    },
    stream(headers) {
      // See `answer`.
      const plain = response as ServerResponse;
      plain.writeHead(200, headers);
      return {
        async write(bytes) {
          if (gone.signal.aborted || plain.write(bytes)) return;
          await once(plain, 'drain', { signal: gone.signal }).catch(() => undefined);
        },
        end: () => void plain.end(),
      };
    },
    drop() {
      if (isHttp2(response)) response.stream.close(constants.NGHTTP2_CANCEL);
      else request.socket.destroy();
    },
  });
}

function isHttp2(response: Response): response is Http2ServerResponse {
  return 'stream' in response;
}

/** @returns undefined for a body over the limit; the rest of it is read and dropped */
async function readBody(request: Request, maxBytes: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes <= maxBytes) chunks.push(chunk as Buffer);
    else chunks.length = 0;
  }
  return bytes <= maxBytes ? Buffer.concat(chunks, bytes) : undefined;
}
