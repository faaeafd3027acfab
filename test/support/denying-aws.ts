import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { closeServer, listen } from '../../simulator/sockets/listen.ts';

/** By which prefix of `X-Amz-Target` a call is one of this service. */
const SERVICES = { Kinesis: 'kinesis', DynamoDB: 'dynamodb' } as const;
type Service = (typeof SERVICES)[keyof typeof SERVICES];

export interface DenyingAws extends AsyncDisposable {
  /** In place of those of the servers behind it. */
  readonly endpoints: Readonly<Record<Service, string>>;
  /** Actions that are refused from now on, for example `kinesis:GetRecords`. */
  readonly denied: Set<string>;
}

/** Stands before local AWS servers, and refuses actions in the words that AWS has for a role without the right. */
export async function startDenyingAws(
  behind: Readonly<Record<Service, string>>,
): Promise<DenyingAws> {
  const denied = new Set<string>();
  const server = createServer(async (incoming, outgoing) => {
    const { service, action } = actionOf(incoming);
    const body = await buffer(incoming);
    if (denied.has(action)) refuse(outgoing, action);
    else forward(incoming, outgoing, body, behind[service]);
  });
  const endpoint = `http://127.0.0.1:${await listen(server, 0)}`;
  return {
    endpoints: { kinesis: endpoint, dynamodb: endpoint },
    denied,
    [Symbol.asyncDispose]: () => closeServer(server),
  };
}

function actionOf({ headers }: IncomingMessage): { service: Service; action: string } {
  const [version = '', operation] = String(headers['x-amz-target']).split('.');
  const service = SERVICES[version.split('_')[0] as keyof typeof SERVICES];
  return { service, action: `${service}:${operation}` };
}

function refuse(outgoing: ServerResponse, action: string): void {
  const who = 'arn:aws:sts::123456789012:assumed-role/reader/me';
  const why = `because no identity-based policy allows the ${action} action`;
  const message = `User: ${who} is not authorized to perform: ${action} on resource: arn:aws:x ${why}`;
  outgoing.writeHead(400, { 'content-type': 'application/x-amz-json-1.1' });
  outgoing.end(JSON.stringify({ __type: 'AccessDeniedException', message }));
}

function forward(
  { method, url, headers }: IncomingMessage,
  outgoing: ServerResponse,
  body: Buffer,
  origin: string,
): void {
  const { hostname, port } = new URL(origin);
  const behind = request({ hostname, port, method, path: url, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  behind.on('error', () => outgoing.destroy());
  behind.end(body);
}
