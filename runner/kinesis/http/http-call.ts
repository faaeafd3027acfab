import type { WireAnswer } from './answer-reader.ts';

/** One request, and what is asked of its call. */
export interface HttpRequest {
  /** Head and body. Must stay as it is until the call has ended, and if it failed, for as long as a socket may read it. */
  readonly bytes: Buffer;
  /** Ends the call with its reason, at the latest at the deadline: nothing else does while there is no answer. */
  readonly signal: AbortSignal;
  /** Called right before the bytes go to the socket. What it throws is what the call ends with, and nothing has left. */
  readonly beforeWrite: () => void;
}

/** How a call ended well. */
export interface Answered {
  readonly answer: WireAnswer;
  /** Whether the socket has taken every byte of the request: only then may its memory be used again. */
  readonly isSent: boolean;
}

/** One call from its start to its answer or error, whatever connection it gets. */
export class HttpCall {
  readonly request: HttpRequest;
  readonly promise: Promise<Answered>;
  /** Called once, when the call fails: its connection cannot be used again. */
  onFailed: () => void = () => {};
  readonly #resolve: (answered: Answered) => void;
  readonly #reject: (error: unknown) => void;
  #isOver = false;

  constructor(request: HttpRequest) {
    const { promise, resolve, reject } = Promise.withResolvers<Answered>();
    this.request = request;
    this.promise = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    request.signal.addEventListener('abort', this.#abort, { once: true });
    if (request.signal.aborted) this.#abort();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  succeed(answered: Answered): void {
    if (this.#end()) this.#resolve(answered);
  }

  fail(error: unknown): void {
    if (!this.#end()) return;
    this.onFailed();
    this.#reject(error);
  }

  readonly #abort = (): void => {
    this.fail(this.request.signal.reason);
  };

  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.request.signal.removeEventListener('abort', this.#abort);
    return true;
  }
}

/** Errors of a socket that the SDK calls time-outs, too: whether the request has arrived, nobody knows. */
const UNKNOWN_END = ['ECONNRESET', 'EPIPE', 'ETIMEDOUT'];

/** An error of a socket under the name that the SDK gives it. */
export function namedAsSdk(error: NodeJS.ErrnoException): Error {
  return UNKNOWN_END.includes(error.code ?? '')
    ? Object.assign(error, { name: 'TimeoutError' })
    : error;
}
