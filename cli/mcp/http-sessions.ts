import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, loadNode, type ServerParts } from './server.ts';

type Transport = InstanceType<
  Awaited<ReturnType<typeof loadNode>>['NodeStreamableHTTPServerTransport']
>;

interface HttpSession {
  readonly transport: Transport;
  usedAtMs: number;
  open: number;
}

/** Agents on one machine. A client that never says goodbye leaves its session behind. */
const MOST_SESSIONS = 32;
const MAX_IDLE_MS = 30 * 60_000;

/** The sessions of clients that speak protocol revision 2025-11-25 or older: those begin with `initialize`. */
export class HttpSessions {
  readonly #parts: ServerParts;
  readonly #sessions = new Map<string, HttpSession>();

  constructor(parts: ServerParts) {
    this.#parts = parts;
  }

  /** @param body the parsed JSON of a POST */
  async handle(request: IncomingMessage, response: ServerResponse, body?: unknown): Promise<void> {
    const id = request.headers['mcp-session-id'];
    if (typeof id === 'string') {
      const session = this.#sessions.get(id);
      // By this the client knows that it has to begin again.
      if (session === undefined) return refuse(response, 404, -32001, 'Session not found');
      return this.#serve(session, request, response, body);
    }
    if (!isInitialize(body))
      return refuse(response, 400, -32600, 'no session: begin with initialize');
    if (!(await this.#makeRoom())) return refuse(response, 503, -32000, 'too many sessions');
    return this.#begin(request, response, body);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map(({ transport }) => transport.close()));
  }

  async #begin(request: IncomingMessage, response: ServerResponse, body: unknown): Promise<void> {
    const { NodeStreamableHTTPServerTransport } = await loadNode();
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => {
        this.#sessions.set(id, session);
      },
    });
    const session: HttpSession = { transport, usedAtMs: performance.now(), open: 0 };
    const server = await createServer(this.#parts);
    await server.connect(transport);
    const closed = transport.onclose;
    transport.onclose = () => {
      this.#sessions.delete(transport.sessionId ?? '');
      closed?.();
    };
    await this.#serve(session, request, response, body);
    // What was no proper `initialize` has no session.
    if (transport.sessionId === undefined) await transport.close();
  }

  async #serve(
    session: HttpSession,
    request: IncomingMessage,
    response: ServerResponse,
    body: unknown,
  ): Promise<void> {
    session.open += 1;
    session.usedAtMs = performance.now();
    response.once('close', () => {
      session.open -= 1;
      session.usedAtMs = performance.now();
    });
    await session.transport.handleRequest(request, response, body);
  }

  async #makeRoom(): Promise<boolean> {
    const nowMs = performance.now();
    for (const [id, { transport, usedAtMs, open }] of this.#sessions) {
      if (open > 0 || nowMs - usedAtMs < MAX_IDLE_MS) continue;
      this.#sessions.delete(id);
      await transport.close();
    }
    return this.#sessions.size < MOST_SESSIONS;
  }
}

function isInitialize(body: unknown): boolean {
  return (body as { readonly method?: unknown } | null | undefined)?.method === 'initialize';
}

/** Answers a request that reaches no server, in the form of the protocol. */
export function refuse(
  response: ServerResponse,
  status: number,
  code: number,
  message: string,
): void {
  response.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    ...(status === 401 && { 'www-authenticate': 'Bearer' }),
  });
  response.end(JSON.stringify({ jsonrpc: '2.0', error: { code, message }, id: null }));
}
