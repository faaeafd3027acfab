import { createServer, type IncomingMessage, type Server } from 'node:http';

/** The input of one call, as the SDK sent it. */
export type AwsCall = Readonly<Record<string, unknown>>;

/** Answers one operation of a service. Throws `AwsError` to refuse. */
export type AwsOperation = (call: AwsCall) => unknown;

/** Thrown by an operation; the router answers as AWS does, with HTTP 400 and the `__type`. */
export class AwsError extends Error {
  readonly type: string;

  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

/**
 * Makes an HTTP server that speaks AWS JSON 1.1 (`POST /`, operation in `x-amz-target`) and does not listen yet.
 *
 * @param operations by full target name, for example `secretsmanager.GetSecretValue`
 */
export function createAwsRouter(operations: ReadonlyMap<string, AwsOperation>): Server {
  return createServer((request, response) => {
    void answer(request, operations).then(({ status, body }) => {
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' });
      response.end(JSON.stringify(body));
    });
  });
}

async function answer(request: IncomingMessage, operations: ReadonlyMap<string, AwsOperation>) {
  try {
    const target = String(request.headers['x-amz-target']);
    const operation = operations.get(target);
    if (operation === undefined) {
      throw new AwsError('UnknownOperationException', `${target} is not known here`);
    }
    return { status: 200, body: operation(await readCall(request)) };
  } catch (error) {
    if (error instanceof AwsError) {
      return { status: 400, body: { __type: error.type, message: error.message } };
    }
    return { status: 500, body: { __type: 'InternalFailure', message: String(error) } };
  }
}

async function readCall(request: IncomingMessage): Promise<AwsCall> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as AwsCall;
  } catch {
    throw new AwsError('SerializationException', 'the body is not JSON');
  }
}
