import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { signWebhook } from '../../shared/zoom/webhook-signature.ts';
import { forgeries, HOSTILE_WORDS } from './hostile-words.ts';
import { startProgram } from './program.ts';

const SECRET = 'hostileWebhookSecret';
const READY_MS = 30_000;
/** What a request may take that is not complete. */
const LONGEST_REQUEST_MS = 10_000;
/** Requests that are never complete, of each kind, at once. */
const SLOW = 50;
const EVENT = { event: 'meeting.rtms_stopped', event_ts: 1, payload: { rtms_stream_id: 'x' } };

/** Heads of requests that never end, and what is sent of them each second. */
const SLOW_REQUESTS: Readonly<Record<string, { readonly head: string; readonly drop: string }>> = {
  'no byte at all': { head: '', drop: '' },
  'slow headers': { head: 'POST /hook HTTP/1.1\r\nhost: x\r\n', drop: 'a: b\r\n' },
  'a slow body': {
    head: 'POST /hook HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n',
    drop: '{',
  },
  'slow chunks': {
    head: 'POST /hook HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n',
    drop: '1\r\n{\r\n',
  },
};

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Slow, odd, forged and hostile requests against the SDK's server, while healthy ones go on. */
export async function attackSdkServer(): Promise<string[]> {
  const server = startProgram('test/hostile/sdk-process.ts', [SECRET]);
  try {
    const url = `http://127.0.0.1:${await portOf(server.lines)}/hook`;
    const slow = Object.entries(SLOW_REQUESTS).map(([name, request]) => slowly(url, name, request));
    const isOver = Promise.all(slow);
    const healthy = stayHealthy(url, isOver);
    const odd = await oddRequests(url);
    const words = await wordsInLog(url);
    const tooSlow = (await isOver).flat();
    return [
      ...odd,
      ...words,
      ...tooSlow,
      ...(await healthy),
      ...forgeries(server.lines.join('\n')),
    ];
  } finally {
    await server.end('SIGKILL');
  }
}

async function portOf(lines: readonly string[]): Promise<number> {
  const untilMs = performance.now() + READY_MS;
  for (;;) {
    const ready = lines.find((line) => line.includes('sdk_ready'));
    if (ready !== undefined) return Number(JSON.parse(ready).port);
    if (performance.now() > untilMs) throw new Error('the SDK server did not start');
    await sleep(50);
  }
}

/** Opens many connections whose request never ends. @returns what broke the rule */
async function slowly(
  url: string,
  name: string,
  { head, drop }: { readonly head: string; readonly drop: string },
): Promise<string[]> {
  const { port } = new URL(url);
  const sinceMs = performance.now();
  const sockets: Socket[] = [];
  let longestMs = 0;
  for (let count = 0; count < SLOW; count += 1) {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(head));
    socket
      .on('error', () => {})
      .on('close', () => {
        longestMs = Math.max(longestMs, performance.now() - sinceMs);
      });
    socket.resume();
    sockets.push(socket);
  }
  while (performance.now() - sinceMs < 2 * LONGEST_REQUEST_MS) {
    await sleep(1_000);
    const open = sockets.filter((socket) => !socket.destroyed);
    if (open.length === 0) break;
    for (const socket of open) if (drop !== '') socket.write(drop);
  }
  const open = sockets.filter((socket) => !socket.destroyed);
  for (const socket of open) socket.destroy();
  if (open.length > 0) return [`${name}: ${open.length} connections stay open`];
  // On a machine that is busy a second more or less says nothing of the server.
  if (longestMs <= LONGEST_REQUEST_MS + 1_000) return [];
  return [`${name}: closed after ${Math.round(longestMs)} ms`];
}

/** A good delivery each 100 ms until the others are over. */
async function stayHealthy(url: string, isOver: Promise<unknown>): Promise<string[]> {
  let [isDone, asked, failed] = [false, 0, 0];
  void isOver.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    asked += 1;
    const { status } = await post(url, JSON.stringify(EVENT)).catch(() => ({ status: 0 }));
    if (status !== 200) failed += 1;
    await sleep(100);
  }
  return failed === 0 ? [] : [`${failed} of ${asked} healthy deliveries failed`];
}

async function oddRequests(url: string): Promise<string[]> {
  const good = JSON.stringify(EVENT);
  const unauthorized = JSON.stringify({ error: 'Unauthorized' });
  const cases: readonly (readonly [string, Promise<Answer>, number, string?])[] = [
    ['payload null', post(url, '{"event":"e","payload":null}'), 400],
    ['payload a list', post(url, '{"event":"e","payload":[]}'), 400],
    ['payload a text', post(url, '{"event":"e","payload":"x"}'), 400],
    ['no event', post(url, '{"payload":{}}'), 400],
    ['event a number', post(url, '{"event":5,"payload":{}}'), 400],
    ['null', post(url, 'null'), 400],
    ['no JSON', post(url, '{'), 400],
    ['100,000 nested arrays', post(url, `${'['.repeat(1e5)}${']'.repeat(1e5)}`), 400],
    ['1 MB', post(url, JSON.stringify({ ...EVENT, filler: 'x'.repeat(1e6) })), 413],
    ['another’s secret', post(url, good, { secret: 'other' }), 401, unauthorized],
    ['an old delivery', post(url, good, { ageSeconds: 3_600 }), 401, unauthorized],
    ['a delivery of tomorrow', post(url, good, { ageSeconds: -86_400 }), 401, unauthorized],
    ['no signature', post(url, good, { headers: {} }), 401, unauthorized],
    [
      'half a signature',
      post(url, good, { headers: { 'x-zm-signature': 'v0=' } }),
      401,
      unauthorized,
    ],
    ['a challenge of a stranger', post(url, CHALLENGE, { secret: 'other' }), 401, unauthorized],
  ];
  const broken: string[] = [];
  for (const [name, answer, status, text] of cases) {
    const got = await answer.catch((error: unknown) => ({ status: 0, text: String(error) }));
    const isAsExpected = got.status === status && (text === undefined || got.text === text);
    if (!isAsExpected) broken.push(`${name}: ${got.status} ${got.text.slice(0, 80)}`);
  }
  return broken;
}

const CHALLENGE = '{"event":"endpoint.url_validation","payload":{"plainToken":"abc"}}';

/** Whatever stands in an event's name, in the path or in a query: the log is looked at when all is over. */
async function wordsInLog(url: string): Promise<string[]> {
  for (const words of HOSTILE_WORDS) {
    const body = JSON.stringify({ event: words, payload: { rtms_stream_id: words } });
    await post(url, body);
    await post(url, body, { secret: 'other' });
    await post(`${url}/${encodeURIComponent(words.toWellFormed())}`, body);
  }
  return [];
}

async function post(
  url: string,
  body: string,
  {
    secret = SECRET,
    ageSeconds = 0,
    headers,
  }: {
    readonly secret?: string;
    readonly ageSeconds?: number;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): Promise<Answer> {
  const timestamp = String(Math.floor(Date.now() / 1_000) - ageSeconds);
  const signed = {
    'x-zm-request-timestamp': timestamp,
    'x-zm-signature': signWebhook(secret, timestamp, body),
  };
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', connection: 'close', ...(headers ?? signed) },
  });
  return { status: response.status, text: await response.text() };
}
