import type { McpServer, ServerContext } from '@modelcontextprotocol/server';
import { ServiceError } from '../../shared/errors.ts';
import { type Context, packageVersion } from '../command.ts';
import { answerStructure, answerText, NOTICE, peopleText } from './answer.ts';
import type { ArgumentsSchema } from './arguments.ts';
import { Meetings } from './meetings.ts';
import { idOf, listResources, MEETING_RESOURCES, readResource } from './resources.ts';
import { Scope, type ScopeOptions } from './scope.ts';
import type { Tool } from './tool.ts';
import { explainMeeting } from './tools/explain-meeting.ts';
import { exportMeeting } from './tools/export-meeting.ts';
import { gapsAndLedger } from './tools/gaps.ts';
import { listMeetings } from './tools/list-meetings.ts';
import { readTranscript, searchTranscript } from './tools/read-transcript.ts';
import { whoSpeaks } from './tools/who-speaks.ts';
import { Watcher } from './watcher.ts';

/** Those that write nothing. */
const TOOLS = [
  listMeetings,
  readTranscript,
  searchTranscript,
  whoSpeaks,
  gapsAndLedger,
  explainMeeting,
];
/** Each costs a call of Kinesis a second. */
const MOST_SUBSCRIPTIONS = 16;
/** A client that waits for media is told this often that the work goes on. */
const PROGRESS_MS = 2_000;

/** Without these the SDK promises to tell clients when a list changes. The tools never change, and nobody is told of a new meeting. */
const CAPABILITIES = {
  tools: { listChanged: false },
  resources: { subscribe: true, listChanged: false },
};

const INSTRUCTIONS =
  'Reads meetings that Zoom streams to this deployment, also while they run. Begin with list_meetings; read_transcript with ' +
  `the mark of the last answer gives what is new. ${NOTICE}`;

export interface ServerParts {
  readonly meetings: Meetings;
  readonly watcher: Watcher;
  readonly folder: string | undefined;
  readonly version: string;
}

/** @param folder where exports go; undefined offers none */
export function partsOf(
  context: Context,
  scope: ScopeOptions,
  folder: string | undefined,
): ServerParts {
  const meetings = new Meetings(context, new Scope(context, scope));
  return { meetings, watcher: new Watcher(meetings), folder, version: packageVersion() };
}

/** Makes the server of one connection. All connections share meetings and watcher. */
export async function createServer(parts: ServerParts): Promise<McpServer> {
  const { McpServer: Server } = await loadServer();
  const server = new Server(
    { name: 'rtms', title: 'Zoom meetings of rtms-kinesis', version: parts.version },
    { capabilities: CAPABILITIES, instructions: INSTRUCTIONS },
  );
  for (const tool of TOOLS) await offer(server, tool, parts);
  if (parts.folder !== undefined) await offer(server, exportMeeting, parts);
  await offerResources(server, parts);
  offerSubscriptions(server, parts);
  return server;
}

async function offer(
  server: McpServer,
  { name, title, description, input, readOnly, run }: Tool,
  { meetings, folder }: ServerParts,
): Promise<void> {
  const inputSchema = await checked(input);
  const annotations = {
    title,
    readOnlyHint: readOnly,
    destructiveHint: false,
    openWorldHint: true,
  };
  const config = { title, description, annotations, inputSchema };
  server.registerTool(name, config, async (args, context) => {
    const progress = reportProgress(context);
    try {
      const { signal } = context.mcpReq;
      const answer = await run(args, { meetings, folder, signal });
      return {
        content: [{ type: 'text', text: answerText(answer) }],
        structuredContent: answerStructure(answer),
      };
    } catch (error) {
      const text = context.mcpReq.signal.aborted ? 'cancelled' : wordsOf(error, meetings);
      return { isError: true, content: [{ type: 'text', text }] };
    } finally {
      progress.end();
    }
  });
}

/** The SDK checks the arguments, and does not say which one a tool does not have. A model that is told mends its call. */
async function checked(input: ArgumentsSchema) {
  const { fromJsonSchema } = await loadServer();
  const schema = fromJsonSchema(input as Parameters<typeof fromJsonSchema>[0]);
  const names = Object.keys(input.properties);
  const { validate, ...standard } = schema['~standard'];
  const named = (value: unknown): ReturnType<typeof validate> => {
    const odd = Object.keys(Object(value)).find((name) => !names.includes(name));
    if (odd === undefined) return validate(value);
    const message = `there is no argument ${JSON.stringify(odd.slice(0, 64))}; there are ${names.join(', ')}`;
    return { issues: [{ message }] };
  };
  return { '~standard': { ...standard, validate: named } };
}

/** Clients stop waiting for a call that is silent for a minute, and reading hours of media takes longer. */
function reportProgress({ mcpReq }: ServerContext): { readonly end: () => void } {
  const { progressToken } = mcpReq._meta ?? {};
  if (progressToken === undefined) return { end: () => undefined };
  let progress = 0;
  const timer = setInterval(() => {
    progress += 1;
    const params = { progressToken, progress, message: 'reading' };
    mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
  }, PROGRESS_MS);
  return { end: () => clearInterval(timer) };
}

async function offerResources(server: McpServer, { meetings }: ServerParts): Promise<void> {
  const { ProtocolError, ProtocolErrorCode, ResourceNotFoundError, ResourceTemplate } =
    await loadServer();
  const asProtocolError = (error: unknown, uri: string) =>
    error instanceof ServiceError && ['cli/not-found', 'mcp/bad-argument'].includes(error.code)
      ? new ResourceNotFoundError(uri)
      : new ProtocolError(ProtocolErrorCode.InternalError, wordsOf(error, meetings));
  for (const resource of MEETING_RESOURCES) {
    const { name, title, description, template } = resource;
    const list = async () => {
      try {
        return { resources: await listResources(meetings, resource) };
      } catch (error) {
        throw asProtocolError(error, template);
      }
    };
    server.registerResource(
      name,
      new ResourceTemplate(template, { list }),
      { title, description, mimeType: 'text/plain' },
      async ({ href }, _variables, { mcpReq: { signal } }) => {
        try {
          return await readResource(meetings, resource, href, signal);
        } catch (error) {
          throw asProtocolError(error, href);
        }
      },
    );
  }
}

/** Tells a client about new lines of the meetings that it has subscribed to. */
function offerSubscriptions({ server }: McpServer, { meetings, watcher }: ServerParts): void {
  const ends = new Map<string, () => void>();
  server.setRequestHandler('resources/subscribe', async ({ params: { uri } }) => {
    const { ProtocolError, ProtocolErrorCode, ResourceNotFoundError } = await loadServer();
    if (ends.has(uri)) return {};
    let id: string;
    try {
      ({ id } = await meetings.scope.meeting(idOf(uri) ?? ''));
    } catch (error) {
      if (error instanceof ServiceError && error.retryable)
        throw new ProtocolError(ProtocolErrorCode.InternalError, wordsOf(error, meetings));
      throw new ResourceNotFoundError(uri);
    }
    const end =
      ends.size < MOST_SUBSCRIPTIONS
        ? watcher.watch(id, () => void server.sendResourceUpdated({ uri }).catch(() => undefined))
        : undefined;
    if (end === undefined) {
      const what = `no more than ${MOST_SUBSCRIPTIONS} meetings can be watched at once`;
      throw new ProtocolError(ProtocolErrorCode.InvalidRequest, what);
    }
    ends.set(uri, end);
    return {};
  });
  server.setRequestHandler('resources/unsubscribe', async ({ params: { uri } }) => {
    ends.get(uri)?.();
    ends.delete(uri);
    return {};
  });
  const closed = server.onclose;
  server.onclose = () => {
    for (const end of ends.values()) end();
    ends.clear();
    closed?.();
  };
}

/** What a client is told of an error, and stderr of a defect. Names of AWS resources may stand in it, texts of people not. */
function wordsOf(error: unknown, { context }: Meetings): string {
  if (error instanceof ServiceError) return peopleText(error.message);
  context.output.fail(error);
  return 'a defect of rtms mcp; its stderr says more';
}

type ServerModule = typeof import('@modelcontextprotocol/server');
type StdioModule = typeof import('@modelcontextprotocol/server/stdio');
type NodeModule = typeof import('@modelcontextprotocol/node');

/**
 * The official SDK of the Model Context Protocol. It is an optional peer: whoever uses the SDK or the consumer alone does
 * not install it, so it is loaded when `rtms mcp` runs and not before.
 */
export async function loadServer(): Promise<ServerModule> {
  return load('@modelcontextprotocol/server', () => import('@modelcontextprotocol/server'));
}

/** The part of the server package that knows stdin and stdout. It is a module of its own, because browsers have neither. */
export async function loadStdio(): Promise<StdioModule> {
  return load('@modelcontextprotocol/server', () => import('@modelcontextprotocol/server/stdio'));
}

/** Needed for `--http` alone. */
export async function loadNode(): Promise<NodeModule> {
  return load('@modelcontextprotocol/node', () => import('@modelcontextprotocol/node'));
}

/**
 * @param name of the package, for the error
 * @throws ServiceError `mcp/sdk-missing` that says how to install it
 */
export async function load<Module>(name: string, module: () => Promise<Module>): Promise<Module> {
  try {
    return await module();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    const what = `rtms mcp needs ${name}, which is not installed: npm install ${name}`;
    throw new ServiceError('mcp/sdk-missing', what, { cause });
  }
}
