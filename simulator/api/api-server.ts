import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Product } from '../../rtms/protocol/product.ts';
import { STOP_REASON } from '../../rtms/protocol/stop-reason.ts';
import type { ApiCredentials } from '../../shared/zoom/api-credentials.ts';
import type { Clock } from '../clock.ts';
import type { ApiAnswerOfScenario, Scenario } from '../scenario/scenario.ts';
import { closeServer, listen } from '../sockets/listen.ts';
import type { RtmsStream } from '../stream.ts';
import { matchRoute, type StatusRoute } from './api-routes.ts';

/** The account's REST API: who may ask it, and for what. */
export interface SimulatedApi extends ApiCredentials {
  /** The scopes of every token. `rtms` stands for those of the other products too. */
  readonly scopes: readonly ('rtms' | 'meetings')[];
  /** How long a token lasts, s. */
  readonly tokenSeconds: number;
}

/** The credentials that everybody knows, as they do those of the fixtures: they guard nothing. */
export const EXAMPLE_API: SimulatedApi = {
  accountId: 'exampleAccountId01',
  clientId: 'exampleApiClientId01',
  clientSecret: 'exampleApiClientSecret01',
  scopes: ['rtms', 'meetings'],
  tokenSeconds: 3_599,
};

/** One request that came with a valid token, and its answer. */
export interface ApiEntry {
  readonly atMs: number;
  readonly action: string;
  readonly entityId: string;
  readonly product: Product;
  readonly status: number;
  /** Of the stream that it started. */
  readonly rtmsStreamId?: string;
}

/** The requests that the REST API has received, and the tokens that it gave. */
export interface ApiBooks {
  readonly requests: readonly ApiEntry[];
  readonly tokens: number;
  readonly refusedTokens: number;
  readonly lists: number;
  /** Voids all tokens that were given. */
  expireTokens(): void;
}

/** The meetings of the simulator, as the API needs them. */
export interface ApiHost {
  readonly clock: Clock;
  /** Client ids of the apps that stream. */
  readonly clientIds: readonly string[];
  meeting(id: string): ApiMeeting | undefined;
  liveMeetings(): readonly {
    readonly entityId: string;
    readonly scenario: Scenario;
    readonly startedAtMs: number;
  }[];
  /** @returns the new stream's id; undefined when the account is at its limit */
  start(entityId: string): string | undefined;
}

interface ApiMeeting {
  readonly entityId: string;
  readonly scenario: Scenario;
  readonly isOver: boolean;
  /** The newest stream of the meeting, live or not. */
  readonly stream: RtmsStream | undefined;
}

type Answer = Omit<ApiAnswerOfScenario, 'done'> & { readonly json?: unknown };

const NO_TOKEN: Answer = { status: 401, code: 124, message: 'Invalid access token.' };
const NOT_FOUND: Answer = { status: 404, code: 3001, message: 'Meeting does not exist.' };
const FAILED: Answer = {
  status: 400,
  code: 2310,
  message: 'Failed to perform RTMS app operation.',
};
const NO_SCOPE: Answer = {
  status: 400,
  code: 4711,
  message: 'Invalid access token, does not contain scopes.',
};

/**
 * Serves what Zoom's REST API has for RTMS: tokens, `rtms_app/status` of every product, and the lists of live meetings.
 * `books` holds every request.
 */
export async function serveApi(account: SimulatedApi, host: ApiHost) {
  const requests: ApiEntry[] = [];
  const tokens = new Map<string, number>();
  const answered = new Map<string, number>();
  const counts = { tokens: 0, refusedTokens: 0, lists: 0 };
  const server = createServer((request, response) => {
    void readBody(request).then((body) => send(response, answer(request, body)));
  });
  const port = await listen(server, 0);
  const url = `http://127.0.0.1:${port}`;

  function answer(request: IncomingMessage, body: unknown): Answer {
    const { pathname, searchParams } = new URL(request.url ?? '/', url);
    const { method = 'GET', headers } = request;
    if (pathname === '/oauth/token') return giveToken(headers.authorization, searchParams);
    if (!isTokenValid(headers.authorization)) return NO_TOKEN;
    const list = /^\/v2\/metrics\/(meetings|webinars)$/.exec(pathname)?.[1];
    if (method === 'GET' && list !== undefined) return listLive(list);
    const route = matchRoute(method, pathname);
    return route === undefined ? { status: 404, message: 'no such path' } : setStatus(route, body);
  }

  function giveToken(authorization: string | undefined, query: URLSearchParams): Answer {
    const basic = Buffer.from(`${account.clientId}:${account.clientSecret}`).toString('base64');
    const isKnown =
      authorization === `Basic ${basic}` &&
      query.get('grant_type') === 'account_credentials' &&
      query.get('account_id') === account.accountId;
    if (!isKnown) {
      counts.refusedTokens += 1;
      const json = { reason: 'Invalid client_id or client_secret', error: 'invalid_client' };
      return { status: 400, message: '', json };
    }
    counts.tokens += 1;
    const access_token = randomBytes(24).toString('base64url');
    tokens.set(access_token, host.clock.now() + account.tokenSeconds * 1_000);
    return {
      status: 200,
      message: '',
      json: { access_token, token_type: 'bearer', expires_in: account.tokenSeconds },
    };
  }

  function isTokenValid(authorization = ''): boolean {
    const untilMs = tokens.get(authorization.replace(/^Bearer /, ''));
    return untilMs !== undefined && host.clock.now() < untilMs;
  }

  function listLive(kind: string): Answer {
    counts.lists += 1;
    if (!account.scopes.includes('meetings')) return NO_SCOPE;
    const product = kind === 'meetings' ? 'meeting' : 'webinar';
    const live = host.liveMeetings().filter(({ scenario }) => scenario.product === product);
    const entries = live.map(({ entityId, scenario, startedAtMs }) => ({
      uuid: entityId,
      ...(scenario.meetingId !== undefined && { id: Number(scenario.meetingId) }),
      topic: scenario.name,
      email: 'host@example.com',
      start_time: new Date(startedAtMs).toISOString(),
    }));
    return { status: 200, message: '', json: { next_page_token: '', [kind]: entries } };
  }

  function setStatus({ product, id }: StatusRoute, body: unknown): Answer {
    const { action = '', settings } = (body ?? {}) as {
      action?: string;
      settings?: { client_id?: string };
    };
    const meeting = host.meeting(id);
    const book = (given: Answer, rtmsStreamId?: string): Answer => {
      const { status } = given;
      const entityId = meeting?.entityId ?? id;
      const started = rtmsStreamId !== undefined && { rtmsStreamId };
      requests.push({ atMs: host.clock.now(), action, entityId, product, status, ...started });
      return given;
    };
    if (!account.scopes.includes('rtms')) return book(NO_SCOPE);
    if (!host.clientIds.includes(settings?.client_id ?? '')) {
      return book({ status: 400, code: 300, message: 'Unknown client_id.' });
    }
    if (meeting === undefined || meeting.isOver) return book(NOT_FOUND);
    const number = answered.get(meeting.entityId) ?? 0;
    answered.set(meeting.entityId, number + 1);
    const planned = meeting.scenario.api.answers[number];
    if (planned !== undefined && !planned.done) return book(planned);
    const done = carryOut(action, meeting);
    if (done === undefined) return book(FAILED);
    return book(planned ?? { status: 204, message: '' }, done.rtmsStreamId);
  }

  /** @returns undefined when the action does not fit the state of the stream */
  function carryOut(
    action: string,
    { entityId, stream }: ApiMeeting,
  ): { rtmsStreamId?: string } | undefined {
    const live = stream?.terminated === false ? stream : undefined;
    if (action === 'start') {
      const rtmsStreamId = live === undefined ? host.start(entityId) : undefined;
      return rtmsStreamId === undefined ? undefined : { rtmsStreamId };
    }
    if (live === undefined) return undefined;
    if (action === 'stop') live.stop(STOP_REASON.MANUAL_API_TRIGGERED);
    else if (action === 'pause' || action === 'resume') live.setPaused(action === 'pause');
    else return undefined;
    return {};
  }

  const books: ApiBooks = {
    requests,
    get tokens() {
      return counts.tokens;
    },
    get refusedTokens() {
      return counts.refusedTokens;
    },
    get lists() {
      return counts.lists;
    },
    expireTokens: () => tokens.clear(),
  };
  return {
    apiUrl: `${url}/v2`,
    oauthUrl: `${url}/oauth/token`,
    books,
    close: () => void closeServer(server),
  };
}

function send(response: ServerResponse, answer: Answer): void {
  const { status, code, message, retryAfter, json } = answer;
  if (status === 0) {
    response.destroy();
    return;
  }
  const body = status === 204 ? undefined : JSON.stringify(json ?? { code, message });
  response.writeHead(status, {
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...(retryAfter !== undefined && { 'retry-after': retryAfter }),
  });
  response.end(body);
}

/** @returns undefined for what is no JSON */
async function readBody(request: IncomingMessage): Promise<unknown> {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    return undefined;
  }
}
