import { once } from 'node:events';
import { statSync } from 'node:fs';
import type { Command } from 'commander';
import { newToken } from '../../console/server/trust.ts';
import { ServiceError } from '../../shared/errors.ts';
import { type Context, createCommand, type Flags, runCommand } from '../command.ts';
import { serveOnHttp } from '../mcp/http.ts';
import { partsOf, type ServerParts } from '../mcp/server.ts';
import { serveOnStdio } from '../mcp/stdio.ts';
import { SESSION_ARGUMENT } from '../meeting/find-session.ts';
import { EXIT, type ExitCode } from '../terminal/exit-code.ts';
import { parseMoment } from '../terminal/time.ts';

const TOKEN_VARIABLE = 'RTMS_MCP_TOKEN';
/** 32 characters of base64 are 192 bits. */
const MIN_TOKEN = 32;

interface McpFlags extends Flags {
  readonly http?: string | true;
  readonly meeting?: readonly string[];
  readonly since?: string;
  readonly folder?: string;
}

export function mcpCommand(): Command {
  return createCommand('mcp', {
    summary: 'let an agent read meetings (Model Context Protocol)',
    description:
      'Serves meetings to an agent by the Model Context Protocol: list them, read and search the transcript while it is ' +
      'spoken, who speaks when, what is missing, explain, export. On stdin and stdout for the client that started it, or ' +
      'with --http on loopback for clients with the token. What people said is marked as data. docs/mcp.md has the lines for ' +
      'the configuration of clients.',
    examples: [
      'rtms mcp --local',
      'rtms mcp --meeting 98765432101 --since 2h --folder exports',
      'RTMS_MCP_TOKEN=$(openssl rand -base64 32) rtms mcp --http 4711',
    ],
  })
    .option('--http [port]', 'serve streamable HTTP on 127.0.0.1 (default: a free port)')
    .option(
      '--meeting <meeting...>',
      `only these meetings, whatever a client asks for: ${SESSION_ARGUMENT}`,
    )
    .option(
      '--since <moment>',
      'nothing from before 2026-11-22T10:00:00Z, or 10m ago, whatever a client asks for',
    )
    .option(
      '--folder <directory>',
      'offer export, into new folders in this one (default: no export)',
    )
    .action((flags: McpFlags) => runCommand(flags, (context) => serve(context, flags), EXIT.OK));
}

async function serve(context: Context, flags: McpFlags): Promise<ExitCode> {
  const { meeting = [], since, folder } = flags;
  const startedAtMs = Date.now();
  if (meeting.some((words) => words.trim() === ''))
    throw new ServiceError('config/invalid', '--meeting is empty, and would be no limit');
  const sinceMs = since === undefined ? undefined : parseMoment(since, startedAtMs);
  if (folder !== undefined && statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new ServiceError('config/invalid', `--folder ${folder} is no folder`);
  // Said at once, and not by the first tool that an agent calls.
  context.sessions();
  const parts = partsOf(context, { meetings: meeting, sinceMs, startedAtMs }, folder);
  if (flags.http === undefined) await serveOnStdio(parts);
  else await serveHttp(context, parts, flags.http);
  return EXIT.OK;
}

async function serveHttp(
  { output, signal }: Context,
  parts: ServerParts,
  port: string | true,
): Promise<void> {
  const { token, isNew } = readToken(process.env[TOKEN_VARIABLE]);
  const server = await serveOnHttp(parts, { port: parsePort(port), token });
  // A token that the user has chosen is known to the user, and a log of stdout need not have it.
  const secret = isNew ? { token } : {};
  output.show({ url: server.url, ...secret }, () => [
    `mcp ${server.url}`,
    isNew ? `Authorization: Bearer ${token}` : `the token is that of ${TOKEN_VARIABLE}`,
  ]);
  if (!signal.aborted) await once(signal, 'abort');
  await server.close();
}

function readToken(given: string | undefined): { readonly token: string; readonly isNew: boolean } {
  if (!given) return { token: newToken(), isNew: true };
  if (given.length >= MIN_TOKEN && /^[\x21-\x7e]+$/.test(given))
    return { token: given, isNew: false };
  const what = `${TOKEN_VARIABLE} must have ${MIN_TOKEN} characters or more, without blanks`;
  throw new ServiceError('config/invalid', what);
}

function parsePort(port: string | true): number {
  if (port === true) return 0;
  const number = /^\d{1,5}$/.test(port) ? Number(port) : Number.NaN;
  if (number <= 65_535) return number;
  throw new ServiceError('config/invalid', `--http ${port} is no port`);
}
