import { createServer, type IncomingMessage } from 'node:http';
import { ServiceError } from '../shared/errors.ts';
import type { ActionInput, ScenarioInput } from './scenario/scenario.ts';
import { type ScriptOptions, scriptedMeeting } from './scenario/scripted-meeting.ts';
import { type SyntheticMeetingOptions, syntheticMeeting } from './scenario/synthetic-meeting.ts';
import type { Simulator } from './simulator.ts';
import { listen } from './sockets/listen.ts';

/**
 * Lets another process drive a simulator, with JSON over HTTP:
 *
 * - `POST /scenarios` a scenario, `{"scenario": "scripted"}`, or `{"scenario": "synthetic", "options": {…}}`
 *   → 201 `{"rtmsStreamId"}`; 409 when the account is at its limit
 * - `GET /streams` → the result of `Simulator.streams()`
 * - `GET /sent?stream=ID` → the sent report
 * - `POST /streams/ID/actions` `{"action": "cut_media", …}` (fields as in scenario.ts) → 204
 * - `GET /api` → what the REST API was asked
 * - `GET /webhooks` → every delivery with its attempts
 * - `POST /webhooks/validate` `{"url"}` → `{"valid"}`
 *
 * @throws ServiceError `local/port-in-use`
 */
export async function startControlServer(
  simulator: Simulator,
  port: number,
): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    void answer(simulator, request).then(({ status, body }) => {
      const json = body === undefined ? undefined : JSON.stringify(body);
      response.writeHead(status, json === undefined ? {} : { 'content-type': 'application/json' });
      response.end(json);
    });
  });
  const boundPort = await listen(server, port);
  return {
    url: `http://127.0.0.1:${boundPort}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

async function answer(simulator: Simulator, request: IncomingMessage): Promise<Answer> {
  try {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const body = request.method === 'POST' ? await readJson(request) : {};
    return await route(simulator, `${request.method} ${url.pathname}`, url.searchParams, body);
  } catch (error) {
    const status = error instanceof ServiceError || error instanceof SyntaxError ? 400 : 404;
    return { status, body: { error: (error as Error).message } };
  }
}

async function route(
  simulator: Simulator,
  path: string,
  query: URLSearchParams,
  body: Readonly<Record<string, unknown>>,
): Promise<Answer> {
  switch (path) {
    case 'POST /scenarios': {
      const rtmsStreamId = simulator.start(namedScenario(body));
      return rtmsStreamId === undefined ? { status: 409 } : { status: 201, body: { rtmsStreamId } };
    }
    case 'GET /streams':
      return { status: 200, body: simulator.streams() };
    case 'GET /sent':
      return { status: 200, body: simulator.sent(query.get('stream') ?? '') };
    case 'GET /api':
      return { status: 200, body: simulator.api };
    case 'GET /webhooks':
      return { status: 200, body: simulator.deliveries };
    case 'POST /webhooks/validate':
      return { status: 200, body: { valid: await simulator.validateUrl(String(body['url'])) } };
  }
  const stream = /^POST \/streams\/([^/]+)\/actions$/.exec(path)?.[1];
  if (stream === undefined) return { status: 404, body: { error: `nothing at ${path}` } };
  const { action, ...fields } = body;
  simulator.act(decodeURIComponent(stream), { ...fields, do: action } as ActionInput);
  return { status: 204 };
}

/** The scenario of a request: itself, or one by name. @throws ServiceError `config/invalid` for an unknown name */
export function namedScenario(body: Readonly<Record<string, unknown>>): ScenarioInput {
  const { scenario: name, options } = body;
  if (name === undefined) return body as ScenarioInput;
  if (name === 'scripted') return scriptedMeeting(options as ScriptOptions | undefined);
  if (name === 'synthetic') {
    return syntheticMeeting({
      durationMs: 10_000,
      ...(options as Partial<SyntheticMeetingOptions>),
    });
  }
  throw new ServiceError('config/invalid', `no scenario ${String(name)}: scripted or synthetic`);
}

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString() || '{}') as Record<string, unknown>;
}
