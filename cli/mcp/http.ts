import { once } from 'node:events';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { NodeIncomingMessageLike } from '@modelcontextprotocol/node';
import { hostsOf, refuseUntrusted, type Trust } from '../../console/server/trust.ts';
import { ServiceError } from '../../shared/errors.ts';
import { HttpSessions, refuse } from './http-sessions.ts';
import { Listening } from './listening.ts';
import { createServer, loadNode, loadServer, type ServerParts } from './server.ts';

const LOOPBACK = '127.0.0.1';
const PATH = '/mcp';
/** The longest request is a call with a mark. */
const MAX_BODY_BYTES = 1024 * 1024;
/** Of a request that is too large. */
const MAX_READ_BYTES = 16 * MAX_BODY_BYTES;

export interface HttpOptions {
  /** 0 picks a free one. */
  readonly port: number;
  readonly token: string;
}

export interface McpHttpServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves any number of clients over streamable HTTP, on loopback alone, to whoever has the token.
 *
 * @throws ServiceError `local/port-in-use`, `mcp/sdk-missing`
 */
export async function serveOnHttp(
  parts: ServerParts,
  { port, token }: HttpOptions,
): Promise<McpHttpServer> {
  const handler = await createHandler(parts);
  const trust: { token: string; hosts: string[] } = { token, hosts: [] };
  const server = createHttpServer((request, response) => {
    answer(request, response, trust, handler.handle).catch((error: unknown) => {
      parts.meetings.context.output.fail(error);
      if (!response.headersSent) refuse(response, 500, -32603, 'Internal error');
      else response.destroy();
    });
  });
  server.listen(port, LOOPBACK);
  await once(server, 'listening').catch((cause: unknown) => {
    const what = `port ${port} cannot be used; give another one, or 0 for a free one`;
    throw new ServiceError('local/port-in-use', what, { cause });
  });
  const { port: own } = server.address() as AddressInfo;
  trust.hosts.push(...hostsOf(own));
  return {
    url: `http://${LOOPBACK}:${own}${PATH}`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      await handler.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

type Handle = (request: IncomingMessage, response: ServerResponse, body?: unknown) => Promise<void>;

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  trust: Trust,
  handle: Handle,
): Promise<void> {
  const refusal = refuseUntrusted(request.headers, trust);
  if (refusal !== undefined) return refuse(response, refusal.status, -32000, refusal.why);
  const { pathname } = new URL(request.url ?? '/', `http://${LOOPBACK}`);
  if (pathname !== PATH) return refuse(response, 404, -32601, `the server is at ${PATH}`);
  if (request.method !== 'POST') return handle(request, response);
  const text = await readBody(request);
  if (text === undefined) return refuse(response, 413, -32600, 'the request is too large');
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return refuse(response, 400, -32700, 'Parse error');
  }
  return handle(request, response, body);
}

/** Clients of the newest protocol (2026-07-28) have no session; those before it have one. */
async function createHandler(
  parts: ServerParts,
): Promise<{ readonly handle: Handle; readonly close: () => Promise<void> }> {
  const { createMcpHandler, isLegacyRequest } = await loadServer();
  const { toNodeHandler, toWebRequest } = await loadNode();
  const { output } = parts.meetings.context;
  const newest = createMcpHandler(() => createServer(parts), {
    legacy: 'reject',
    onerror: (error) => output.note(`client: ${error.message}`),
  });
  const handleNewest = toNodeHandler(newest);
  const sessions = new HttpSessions(parts);
  const tell = (uri: string) => newest.notify.resourceUpdated(uri);
  return {
    async handle(request, response, body) {
      const isOlder =
        request.method !== 'POST' ||
        (await isLegacyRequest(await toWebRequest(request as NodeIncomingMessageLike, body), body));
      if (isOlder) return sessions.handle(request, response, body);
      const listening = new Listening(parts.meetings, parts.watcher);
      response.once('close', () => listening.close());
      void listening.see(body, tell);
      await handleNewest(request as NodeIncomingMessageLike, response, body);
    },
    async close() {
      await sessions.close();
      await newest.close();
    },
  };
}

/**
 * Reads on behind the limit, because a client whose request is cut off sees a broken connection and no answer.
 *
 * @returns undefined when it is longer than any request of this protocol
 */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_READ_BYTES) return undefined;
    if (size <= MAX_BODY_BYTES) chunks.push(chunk);
  }
  return size > MAX_BODY_BYTES ? undefined : Buffer.concat(chunks).toString();
}
