import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

/** `legacy`: protocol revision 2025-11-25 and older; `auto`: the newest that both sides know. */
export type ProtocolMode = 'legacy' | 'auto';

const MAIN = 'cli/main.ts';

/** The official client, and what it was told of. */
export class TestClient extends Client {
  readonly updated: string[] = [];

  constructor(mode: ProtocolMode) {
    super({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode } });
    this.setNotificationHandler('notifications/resources/updated', ({ params }) => {
      this.updated.push(params.uri);
    });
  }

  /** Calls a tool. @returns its text, its structure, and whether it is an error */
  async call(name: string, args: Record<string, unknown> = {}) {
    const { content, structuredContent, isError } = await this.callTool({ name, arguments: args });
    const [block] = content;
    const text = block?.type === 'text' ? block.text : '';
    return { text, isError: isError === true, facts: (structuredContent ?? {}) as McpFacts };
  }
}

export interface McpFacts {
  readonly count: number;
  readonly hasMore: boolean;
  readonly nextMark: string;
  readonly meetingData: {
    readonly lines: readonly { readonly text: string; readonly who?: string }[];
    readonly meetings: readonly { readonly id: string; readonly topic?: string }[];
    readonly people: readonly { readonly name: string }[];
  };
}

/** Starts `rtms mcp` as a real process, as a client on this machine does. */
export async function connectOnStdio(mode: ProtocolMode, ...args: string[]): Promise<TestClient> {
  const client = new TestClient(mode);
  const command = { command: process.execPath, args: [MAIN, 'mcp', ...args] };
  await client.connect(new StdioClientTransport({ ...command, stderr: 'ignore' }));
  return client;
}

/** Connects to a server that is there already. */
export async function connectOnHttp(
  mode: ProtocolMode,
  url: string,
  token: string,
): Promise<TestClient> {
  const client = new TestClient(mode);
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
  return client;
}

export interface HttpMcp {
  readonly child: ChildProcess;
  readonly url: string;
  readonly token: string;
}

/** Starts `rtms mcp --http` as a real process. */
export async function startHttpMcp(...args: string[]): Promise<HttpMcp> {
  const child = spawn(process.execPath, [MAIN, 'mcp', '--json', '--http', '0', ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [line] = await once(child.stdout, 'data');
  return { child, ...JSON.parse(String(line)) };
}
