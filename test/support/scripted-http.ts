import { constants, createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { cbor } from '@smithy/core/cbor';

/** One request as it lay on the wire. */
export interface WireRequest {
  readonly head: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
  /** Counts from 1, over all connections. */
  readonly number: number;
}

/** What a server does about one request: any bytes, in any pieces, or none. */
export type Script = (socket: Socket, request: WireRequest) => unknown;

/** A server below HTTP: it reads whole requests, and a script says what bytes go back. */
export class ScriptedHttp {
  readonly #server: Server;
  readonly #scheme: string;
  readonly #sockets = new Set<Socket>();
  readonly requests: WireRequest[] = [];
  /** Of all connections so far. */
  connections = 0;
  script: Script = answerAll;
  /** Called with each connection, before anything is read from it. */
  onConnection: (socket: Socket) => void = () => {};
  /** Called with every piece of a request before it is whole. */
  onPiece: (socket: Socket) => void = () => {};

  private constructor(server: Server, scheme: string) {
    this.#server = server;
    this.#scheme = scheme;
    server.on(scheme === 'https' ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
      this.onConnection(socket);
      this.#read(socket);
    });
    server.on('tlsClientError', () => {});
  }

  /** @param backlog how many connections wait for a server that does not take any. @default Node's own */
  static async start(
    tls?: { readonly key: string; readonly cert: string },
    backlog?: number,
  ): Promise<ScriptedHttp> {
    const server = tls ? createTlsServer(tls) : createServer();
    server.listen({ port: 0, host: '127.0.0.1', backlog });
    await once(server, 'listening');
    return new ScriptedHttp(server, tls ? 'https' : 'http');
  }

  /** One over TLS that breaks every handshake off that would take an earlier session up. */
  static async startRefusingSessions(tls: TlsOptions): Promise<ScriptedHttp> {
    const server = createTlsServer({
      ...tls,
      // Sessions that the server keeps by number, so that it is asked for them.
      maxVersion: 'TLSv1.2',
      secureOptions: constants.SSL_OP_NO_TICKET,
    });
    const given = new Set<string>();
    server.on('newSession', (id: Buffer, _session: Buffer, done: () => void) => {
      given.add(id.toString('hex'));
      done();
    });
    // A client that has no session sends a number that it has made up.
    server.on('resumeSession', (id: Buffer, done: (error: Error | null, session: null) => void) =>
      done(given.has(id.toString('hex')) ? new Error('no session') : null, null),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ScriptedHttp(server, 'https');
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** @param host name or address that leads to loopback */
  url(host = '127.0.0.1'): string {
    return `${this.#scheme}://${host}:${this.port}`;
  }

  /** Ends every open connection as a server ends idle ones. */
  endAll(): void {
    for (const socket of this.#sockets) socket.end();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #read(socket: Socket): void {
    let pieces: Buffer[] = [];
    /** Bytes of `pieces`, and how many have to be there before it is worth to look: a large body has a hundred pieces. */
    let [got, wanted] = [0, 0];
    socket.on('data', (chunk: Buffer) => {
      pieces.push(chunk);
      got += chunk.length;
      if (got < wanted) return this.onPiece(socket);
      const bytes = Buffer.concat(pieces);
      const end = bytes.indexOf('\r\n\r\n');
      const head = bytes.toString('latin1', 0, Math.max(end, 0));
      const length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      this.onPiece(socket);
      wanted = end < 0 ? 0 : end + 4 + length;
      pieces = [bytes];
      if (end < 0 || got < wanted) return;
      const request = {
        head,
        headers: headersOf(head),
        body: Buffer.from(bytes.subarray(end + 4, wanted)),
        number: this.requests.length + 1,
      };
      pieces = [bytes.subarray(wanted)];
      [got, wanted] = [got - wanted, 0];
      this.requests.push(request);
      this.script(socket, request);
    });
  }
}

function headersOf(head: string): ReadonlyMap<string, string> {
  const lines = head.split('\r\n').slice(1);
  return new Map(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
}

/** An object in the format of the request. */
export function bodyFor({ headers }: WireRequest, value: object): Buffer {
  const isCbor = headers.get('content-type')?.includes('cbor');
  return Buffer.from(isCbor ? cbor.serialize(value) : JSON.stringify(value));
}

/** A request's body, whatever its format. */
export function readBody({ headers, body }: WireRequest): {
  readonly StreamName: string;
  readonly Records: readonly { readonly PartitionKey: string; readonly Data: Buffer }[];
} {
  const isCbor = headers.get('content-type')?.includes('cbor');
  const value = isCbor ? cbor.deserialize(body) : JSON.parse(body.toString());
  return {
    StreamName: value.StreamName,
    Records: value.Records.map(({ PartitionKey, Data }: { PartitionKey: string; Data: never }) => ({
      PartitionKey,
      Data: isCbor ? Buffer.from(Data) : Buffer.from(Data, 'base64'),
    })),
  };
}

/** Writes a whole answer in the format of the request. @param sent called when the kernel has it */
export function answer(
  socket: Socket,
  request: WireRequest,
  status: number,
  value: object,
  headers: Readonly<Record<string, string>> = {},
  sent?: () => void,
): void {
  const body = bodyFor(request, value);
  const head = Object.entries({
    'content-type': request.headers.get('content-type') ?? '',
    'content-length': String(body.length),
    date: new Date().toUTCString(),
    ...headers,
  }).map(([name, text]) => `${name}: ${text}\r\n`);
  const text = Buffer.from(`HTTP/1.1 ${status} X\r\n${head.join('')}\r\n`);
  socket.write(Buffer.concat([text, body]), sent);
}

/** The answer to a PutRecords call all of whose entries are written. */
export function allWritten(request: WireRequest): object {
  return {
    FailedRecordCount: 0,
    Records: readBody(request).Records.map((_, index) => ({
      SequenceNumber: String(index + 1),
      ShardId: 'shardId-000000000000',
    })),
  };
}

/** @see ScriptedHttp.script */
export function answerAll(socket: Socket, request: WireRequest): void {
  answer(socket, request, 200, allWritten(request));
}

/**
 * Whether a request is signed with Signature Version 4 by that secret, written apart from the code under test:
 * "Authenticating requests (AWS Signature Version 4)", read 2026-11-27.
 */
export function isSignedBy({ head, headers, body }: WireRequest, secret: string): boolean {
  const parts = /Credential=[^/]+\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=(\w+)/.exec(
    headers.get('authorization') ?? '',
  );
  const [, scope = '', signed = '', signature] = parts ?? [];
  const [method, sentPath = ''] = head.split(' ');
  const path = encodeURIComponent(sentPath.replace(/\/+/g, '/')).replaceAll('%2F', '/');
  const sha = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
  const named = signed.split(';').map((name) => `${name}:${headers.get(name)}\n`);
  const canonical = `${method}\n${path}\n\n${named.join('')}\n${signed}\n${sha(body)}`;
  const text = `AWS4-HMAC-SHA256\n${headers.get('x-amz-date')}\n${scope}\n${sha(canonical)}`;
  let key: string | Buffer = `AWS4${secret}`;
  for (const part of [...scope.split('/'), text]) {
    key = createHmac('sha256', key).update(part).digest();
  }
  return (key as Buffer).toString('hex') === signature;
}
