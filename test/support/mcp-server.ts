import { Writable } from 'node:stream';
import { AwsClients } from '../../cli/deployment/aws.ts';
import { type Deployment, required } from '../../cli/deployment/deployment.ts';
import { OperatorStore } from '../../cli/deployment/operator-store.ts';
import { serveOnHttp } from '../../cli/mcp/http.ts';
import type { ScopeOptions } from '../../cli/mcp/scope.ts';
import { partsOf } from '../../cli/mcp/server.ts';
import { Output } from '../../cli/terminal/output.ts';
import { newToken } from '../../console/server/trust.ts';
import { connectOnHttp, type ProtocolMode, type TestClient } from './mcp-client.ts';

interface McpServerOptions extends Partial<ScopeOptions> {
  readonly folder?: string;
}

/** What `rtms mcp --http` serves, in the process of a test: a real socket, and real clients of AWS. */
export interface TestMcpServer extends AsyncDisposable {
  readonly url: string;
  readonly token: string;
  connect(mode: ProtocolMode): Promise<TestClient>;
}

/** @param deployment where table and streams are */
export async function startMcpServer(
  deployment: Deployment,
  { folder, meetings = [], sinceMs, startedAtMs = Date.now() }: McpServerOptions = {},
): Promise<TestMcpServer> {
  const stop = new AbortController();
  const aws = new AwsClients(deployment);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const output = new Output(true, nowhere as NodeJS.WriteStream, nowhere as NodeJS.WriteStream);
  const sessions = () => new OperatorStore(aws.documents, required(deployment, 'table'));
  const context = { deployment, aws, output, signal: stop.signal, sessions };
  const token = newToken();
  const parts = partsOf(context, { meetings, sinceMs, startedAtMs }, folder);
  const server = await serveOnHttp(parts, { port: 0, token });
  const clients: TestClient[] = [];
  return {
    url: server.url,
    token,
    async connect(mode) {
      const client = await connectOnHttp(mode, server.url, token);
      clients.push(client);
      return client;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all(clients.map((client) => client.close()));
      await server.close();
      aws.destroy();
    },
  };
}
