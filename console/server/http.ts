import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { findPackageJSON } from 'node:module';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import * as v from 'valibot';
import { ServiceError } from '../../shared/errors.ts';
import type { ConsoleFacts } from '../views.ts';
import { type ConsoleAction, runAction, viewsOf } from './actions.ts';
import { DOWNLOAD_KINDS, type Downloads } from './downloads.ts';
import type { LiveConsole } from './live-console.ts';
import {
  hostsOf,
  newToken,
  refuseStranger,
  refuseUntrusted,
  SAFETY_HEADERS,
  type Trust,
} from './trust.ts';

/** More at once is no person with a browser. */
const MOST_TABS = 64;
const MAX_BODY_BYTES = 4_096;
const LOOPBACK = '127.0.0.1';
const ASSETS: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
};

export interface ConsoleServerOptions {
  /** 0 picks a free one. */
  readonly port: number;
  readonly live: LiveConsole;
  readonly downloads: Downloads;
  readonly actions: readonly ConsoleAction[];
  readonly deployment: string;
  readonly isLocal: boolean;
}

/** The page and what it asks for, on loopback. */
export interface ConsoleServer {
  /** With the token: whoever has it may see everything that the console sees. */
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** @throws ServiceError `local/port-in-use` */
export async function startConsoleServer(options: ConsoleServerOptions): Promise<ConsoleServer> {
  const token = newToken();
  const trust: { token: string; hosts: string[] } = { token, hosts: [] };
  const server = createServer((request, response) => {
    answer(request, response, options, trust).catch((error: unknown) => fail(response, error));
  });
  const port = await listen(server, options.port);
  trust.hosts = hostsOf(port);
  return {
    url: `http://${LOOPBACK}:${port}/#token=${token}`,
    port,
    async close() {
      await options.live.close();
      await options.downloads.close();
      server.close();
      server.closeAllConnections();
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: ConsoleServerOptions,
  trust: Trust,
): Promise<void> {
  for (const [name, value] of Object.entries(SAFETY_HEADERS)) response.setHeader(name, value);
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://console');
  const isOpen = pathname in ASSETS || pathname.startsWith('/download/');
  const refusal = (isOpen ? refuseStranger : refuseUntrusted)(request.headers, trust);
  if (refusal !== undefined) {
    sendJson(response, refusal.status, { error: refusal.why });
    return;
  }
  const asset = ASSETS[pathname];
  const route = `${request.method} ${pathname}`;
  if (asset !== undefined && (request.method === 'GET' || request.method === 'HEAD')) {
    return sendAsset(response, asset);
  }
  if (route.startsWith('GET /download/'))
    return sendDownload(response, options.downloads, pathname);
  switch (route) {
    case 'GET /api/facts':
      return sendJson(response, 200, factsOf(options));
    case 'GET /api/live':
      return openTab(response, options.live, searchParams);
    case 'POST /api/act':
      return sendJson(response, 200, {
        said: await runAction(options.actions, await bodyOf(request)),
      });
    case 'POST /api/downloads':
      return prepareDownload(request, response, options.downloads);
    default:
      sendJson(response, 404, { error: 'there is nothing here' });
  }
}

function factsOf({ deployment, isLocal, actions }: ConsoleServerOptions): ConsoleFacts {
  return { deployment, isLocal, actions: viewsOf(actions), downloads: DOWNLOAD_KINDS };
}

function openTab(response: ServerResponse, live: LiveConsole, query: URLSearchParams): void {
  if (live.tabs >= MOST_TABS) {
    sendJson(response, 503, { error: `${MOST_TABS} tabs are open; close one of them` });
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  // So that the page knows at once that it is connected.
  response.write(': hello\n\n');
  const meeting = query.get('meeting') ?? '';
  const line = countOf(query.get('line'));
  const moment = countOf(query.get('moment'));
  live.open({ line, moment, ...(meeting !== '' && { meeting }) }, response);
}

/** A number from 1 on; what is none counts as 1. */
function countOf(value: string | null): number {
  const number = Number(value);
  return Number.isSafeInteger(number) && number > 0 ? number : 1;
}

const DOWNLOAD = v.strictObject({
  kind: v.picklist(DOWNLOAD_KINDS),
  rtmsStreamId: v.pipe(v.string(), v.minLength(1), v.maxLength(512)),
});

async function prepareDownload(
  request: IncomingMessage,
  response: ServerResponse,
  downloads: Downloads,
): Promise<void> {
  const { success, output } = v.safeParse(DOWNLOAD, await bodyOf(request));
  if (!success) throw new ServiceError('config/invalid', 'a download needs a kind and a stream');
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const ticket = await downloads.prepare(output.kind, output.rtmsStreamId, gone.signal);
  sendJson(response, 200, { path: `/download/${ticket}` });
}

async function sendDownload(
  response: ServerResponse,
  downloads: Downloads,
  path: string,
): Promise<void> {
  const ready = downloads.take(path.slice('/download/'.length));
  if (ready === undefined) {
    return sendJson(response, 404, { error: 'this download was fetched already, or is too old' });
  }
  const { fileName, type } = ready;
  const disposition = `attachment; filename="${fileName.replaceAll(/[^\w.-]/g, '_')}"`;
  response.writeHead(200, { 'content-type': type, 'content-disposition': disposition });
  try {
    await pipeline(ready.open(), response);
  } catch {
    response.destroy();
  } finally {
    await ready.remove();
  }
}

async function sendAsset(
  response: ServerResponse,
  [file, type]: readonly [string, string],
): Promise<void> {
  const root = dirname(findPackageJSON(import.meta.url) ?? '.');
  const content = await readFile(join(root, 'console', 'assets', file));
  response.writeHead(200, { 'content-type': type, 'content-length': content.length }).end(content);
}

function sendJson(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent) return void response.destroy();
  const isKnown = error instanceof ServiceError;
  const words = error instanceof Error ? error.message : String(error);
  const said = isKnown ? words.replace(`[${error.code}] `, '') : words;
  sendJson(response, isKnown && error.code === 'config/invalid' ? 400 : 409, { error: said });
}

/** @throws ServiceError `config/invalid` */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new ServiceError('config/invalid', 'the request is too long');
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch (cause) {
    throw new ServiceError('config/invalid', 'the request is not JSON', { cause });
  }
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, LOOPBACK);
  try {
    await once(server, 'listening');
  } catch (cause) {
    throw new ServiceError('local/port-in-use', `port ${port} is in use`, { cause });
  }
  return (server.address() as AddressInfo).port;
}
