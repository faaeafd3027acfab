import { EventEmitter } from 'node:events';
import { type Machine, running } from '../world/machine.ts';
import { world } from '../world/world.ts';

/** One HTTP request between two processes, or from one to the world. */
export interface Question {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface PlainAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

type Listener = (request: unknown, response: unknown) => void;

/** What listens on a port: the part of Node's HTTP server that our code uses. */
export class MemoryServer extends EventEmitter {
  readonly owner: Machine;
  readonly listener: Listener;
  #port = 0;

  constructor(owner: Machine, listener: Listener) {
    super();
    this.owner = owner;
    this.listener = listener;
  }

  listen(port: number, ...rest: unknown[]): this {
    this.#port = world().listen(this, port);
    const told = rest.find((one) => typeof one === 'function') as (() => void) | undefined;
    if (told) this.once('listening', told);
    this.owner.after(0, () => this.emit('listening'));
    return this;
  }

  address(): { port: number; address: string } {
    return { port: this.#port, address: '127.0.0.1' };
  }

  close(told?: () => void): this {
    world().unlisten(this.#port);
    if (told) this.once('close', told);
    this.owner.after(0, () => this.emit('close'));
    return this;
  }

  closeAllConnections(): void {}
}

export function createServer(listener: Listener): MemoryServer {
  const owner = running();
  if (owner === undefined) throw new Error('a server outside of every simulated process');
  return new MemoryServer(owner, listener);
}

/** Asks a server, as the process that runs. @throws an error with Node's code when nobody answers */
export function ask(question: Question, signal?: AbortSignal | null): Promise<PlainAnswer> {
  const asker = running();
  const { promise, resolve, reject } = Promise.withResolvers<PlainAnswer>();
  if (asker === undefined) throw new Error('a request outside of every simulated process');
  if (!asker.mayAct()) return promise;
  let isOver = false;
  const finish = (act: () => void) => {
    if (!isOver) act();
    isOver = true;
  };
  const fail = (code: string) =>
    asker.after(world().latencyMs(), () =>
      finish(() => reject(Object.assign(new Error(code), { code }))),
    );
  const abort = () => finish(() => reject(signal?.reason));
  if (signal?.aborted) abort();
  signal?.addEventListener('abort', abort, { once: true });
  const done = (answer: PlainAnswer) => {
    world().onAnswer(asker, question, answer.status);
    asker.after(world().latencyMs(), () => finish(() => resolve(answer)));
  };

  const { hostname, port } = new URL(question.url);
  const local = world().route(hostname);
  if (local) {
    world().scheduler.after(world().latencyMs(), undefined, () => {
      const answer = local(question);
      if (answer) done(answer);
      else fail('ECONNRESET');
    });
    return promise;
  }
  const server = world().server(Number(port));
  if (server === undefined || server.owner.state === 'dead') fail('ECONNREFUSED');
  else
    server.owner.after(world().latencyMs(), () =>
      serve(server, question, done, () => fail('ECONNRESET')),
    );
  return promise;
}

function serve(
  server: MemoryServer,
  { url, method, headers, body }: Question,
  done: (answer: PlainAnswer) => void,
  failed: () => void,
): void {
  const address = new URL(url);
  const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]);
  const request = {
    url: address.pathname + address.search,
    method,
    httpVersion: '1.1',
    headers: Object.fromEntries(lower) as Record<string, string>,
    rawHeaders: lower.flat(),
    socket: { remoteAddress: '127.0.0.1' },
    async *[Symbol.asyncIterator]() {
      if (body !== '') yield Buffer.from(body);
    },
  };
  let [status, answered] = [200, {} as Record<string, string>];
  const response = {
    setHeader: (name: string, value: string) => Object.assign(answered, { [name]: value }),
    writeHead(code: number, given: Record<string, string> = {}) {
      status = code;
      answered = { ...answered, ...given };
      return response;
    },
    end: (text: string | Buffer = '') => {
      if (server.owner.mayAct()) done({ status, headers: answered, body: String(text) });
    },
    destroy: failed,
  };
  server.listener(request, response);
}

/** `request` of `node:http`. */
export function request(
  url: string,
  options: { method?: string; headers?: Record<string, string>; signal?: AbortSignal },
  heard: (response: EventEmitter & { statusCode: number }) => void,
): EventEmitter & { end: (body?: string) => void } {
  const { method = 'GET', headers = {}, signal } = options;
  return Object.assign(new EventEmitter(), {
    end(this: EventEmitter, body = '') {
      ask({ url, method, headers, body }, signal).then(
        (answer) => {
          const response = Object.assign(new EventEmitter(), { statusCode: answer.status });
          heard(response);
          response.emit('data', Buffer.from(answer.body));
          response.emit('end');
        },
        (error: unknown) => this.emit('error', error),
      );
    },
  });
}

/** `fetch`, with what our code uses of its answer. */
export async function fetchInWorld(
  url: string | URL,
  init: {
    method?: string;
    headers?: Record<string, string>;
    body?: string;
    signal?: AbortSignal | null;
  } = {},
) {
  const { method = 'GET', headers = {}, body = '', signal } = init;
  const answer = await ask({ url: String(url), method, headers, body }, signal);
  return {
    status: answer.status,
    ok: answer.status >= 200 && answer.status < 300,
    headers: new Headers(answer.headers),
    body: answer.body === '' ? null : [Buffer.from(answer.body)],
    text: async () => answer.body,
    json: async () => JSON.parse(answer.body) as unknown,
  };
}
