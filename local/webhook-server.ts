import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type {
  APIGatewayProxyEventV2,
  APIGatewayProxyStructuredResultV2,
  Context,
} from 'aws-lambda';
import { closeServer, LOOPBACK, listen } from '../simulator/sockets/listen.ts';

/** The largest payload that API Gateway passes on. It answers a larger one with 413 itself. */
const MAX_PAYLOAD_BYTES = 10 * 1024 * 1024;
/** The same as in infra/webhook/endpoint.ts. */
const LAMBDA_TIMEOUT_MS = 5_000;
/**
 * Node closes an idle connection after 5 s. A client that sends its next request at that moment is reset, and a POST is
 * not repeated; on a loaded machine a test met that.
 */
const KEEP_ALIVE_MS = 60_000;
/** API Gateway passes bodies of these types as text, every other one in base64. */
const TEXT_TYPES = /^(?:text\/|application\/(?:json|javascript|xml))/i;

export type LocalWebhookHandler = (
  event: APIGatewayProxyEventV2,
  context: Context,
) => Promise<APIGatewayProxyStructuredResultV2>;

/** The webhook function behind HTTP. */
export interface LocalWebhookServer {
  /** Where Zoom posts. `/{app}` may follow. */
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves the Lambda handler over HTTP on loopback, as an API Gateway HTTP API with the routes `POST <path>` and
 * `POST <path>/{app}` does: payload format 2.0, 404 for any other route, 413 over 10 MB, 500 when the handler throws.
 * Requests run concurrently.
 *
 * @throws ServiceError `local/port-in-use`
 */
export async function startWebhookServer(options: {
  /** 0 picks a free port. */
  readonly port: number;
  /** For example `/webhook`. */
  readonly path: string;
  readonly handler: LocalWebhookHandler;
}): Promise<LocalWebhookServer> {
  const base = options.path.replace(/\/+$/, '');
  const server = createServer((request, response) => {
    void serve(request, response, base, options.handler).catch(() => {
      // The client went away in the middle of its request: nobody is left to answer.
      response.destroy();
    });
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const port = await listen(server, options.port);
  return {
    url: `http://${LOOPBACK}:${port}${base}`,
    close: () => closeServer(server),
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  base: string,
  handler: LocalWebhookHandler,
): Promise<void> {
  const url = new URL(request.url ?? '/', `http://${LOOPBACK}`);
  const route = routeOf(request.method, url.pathname, base);
  if (route === undefined) return gatewayAnswer(response, 404, 'Not Found');
  const body = await readBody(request);
  if (body === undefined) {
    response.setHeader('connection', 'close');
    return gatewayAnswer(response, 413, 'Request Entity Too Large');
  }
  const event = toEvent(request, url, route, body);
  try {
    const result = await handler(event, lambdaContext());
    const isText = result.isBase64Encoded !== true;
    response.writeHead(result.statusCode ?? 200, toHeaders(result.headers));
    response.end(Buffer.from(result.body ?? '', isText ? 'utf8' : 'base64'));
  } catch {
    gatewayAnswer(response, 500, 'Internal Server Error');
  }
}

interface Route {
  readonly routeKey: string;
  readonly pathParameters?: { readonly app: string };
}

function routeOf(method: string | undefined, path: string, base: string): Route | undefined {
  if (method !== 'POST') return undefined;
  if (path === (base || '/')) return { routeKey: `POST ${path}` };
  if (!path.startsWith(`${base}/`)) return undefined;
  const app = path.slice(base.length + 1);
  if (app === '' || app.includes('/')) return undefined;
  return { routeKey: `POST ${base}/{app}`, pathParameters: { app: decode(app) } };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** @returns undefined for a body that is larger than API Gateway allows; the rest of it is not read */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request) {
    sizeBytes += (chunk as Buffer).length;
    if (sizeBytes > MAX_PAYLOAD_BYTES) return undefined;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function toEvent(
  request: IncomingMessage,
  url: URL,
  { routeKey, pathParameters }: Route,
  body: Buffer,
): APIGatewayProxyEventV2 {
  const now = new Date();
  const isBase64Encoded = !TEXT_TYPES.test(request.headers['content-type'] ?? '');
  return {
    version: '2.0',
    routeKey,
    rawPath: url.pathname,
    rawQueryString: url.search.slice(1),
    headers: joinHeaders(request.rawHeaders),
    ...(pathParameters ? { pathParameters } : {}),
    requestContext: {
      accountId: '000000000000',
      apiId: 'local',
      domainName: LOOPBACK,
      domainPrefix: 'local',
      http: {
        method: request.method ?? '',
        path: url.pathname,
        protocol: `HTTP/${request.httpVersion}`,
        sourceIp: request.socket.remoteAddress ?? LOOPBACK,
        userAgent: request.headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey,
      stage: '$default',
      time: now.toISOString(),
      timeEpoch: now.getTime(),
    },
    ...(body.length > 0 ? { body: body.toString(isBase64Encoded ? 'base64' : 'utf8') } : {}),
    isBase64Encoded,
  };
}

/** Lower-cases the names, and joins a repeated header with commas, as payload format 2.0 does. */
function joinHeaders(rawHeaders: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase() ?? '';
    const value = rawHeaders[index + 1] ?? '';
    headers[name] = Object.hasOwn(headers, name) ? `${headers[name]},${value}` : value;
  }
  return headers;
}

function lambdaContext(): Context {
  const endsAtMs = performance.now() + LAMBDA_TIMEOUT_MS;
  return {
    awsRequestId: randomUUID(),
    functionName: 'zoom-webhook',
    functionVersion: '$LATEST',
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:zoom-webhook',
    logGroupName: '/aws/lambda/zoom-webhook',
    logStreamName: 'local',
    memoryLimitInMB: '512',
    callbackWaitsForEmptyEventLoop: false,
    getRemainingTimeInMillis: () => endsAtMs - performance.now(),
    done() {},
    fail() {},
    succeed() {},
  };
}

function toHeaders(headers: APIGatewayProxyStructuredResultV2['headers']) {
  return Object.fromEntries(
    Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]),
  );
}

function gatewayAnswer(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ message }));
}
