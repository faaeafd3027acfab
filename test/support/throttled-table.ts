import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What DynamoDB says of a table that is asked for more than it may give. */
export type ThrottlingError = 'ProvisionedThroughputExceededException' | 'ThrottlingException';

/** DynamoDB behind a server that refuses calls as a throttled table does. */
export interface ThrottledTable extends AsyncDisposable {
  readonly url: string;
  /** The part of the calls that is refused, 0 to 1, and how. */
  throttle(share: number, error?: ThrottlingError): void;
  /** How many were refused. */
  readonly refused: number;
}

/** @param endpoint of a DynamoDB on this machine */
export async function startThrottledTable(endpoint: string): Promise<ThrottledTable> {
  let [share, error]: [number, ThrottlingError] = [0, 'ThrottlingException'];
  let [calls, refused] = [0, 0];
  const server = createServer((call, answer) => {
    calls += 1;
    // Evenly, so that a test is the same each time.
    if (Math.floor(calls * share) === Math.floor((calls - 1) * share)) {
      forward(endpoint, call, answer);
      return;
    }
    refused += 1;
    call.resume();
    const message = 'The level of configured provisioned throughput for the table was exceeded.';
    answer.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
    answer.end(JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${error}`, message }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    throttle(nextShare, nextError = 'ThrottlingException') {
      [share, error] = [nextShare, nextError];
    },
    get refused() {
      return refused;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function forward(endpoint: string, call: IncomingMessage, answer: ServerResponse): void {
  const { method, headers } = call;
  const onward = request(endpoint, { method, headers }, (from) => {
    answer.writeHead(from.statusCode ?? 502, from.headers);
    from.pipe(answer);
  });
  onward.on('error', () => answer.destroy());
  call.pipe(onward);
}
