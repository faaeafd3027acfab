import { running } from '../world/machine.ts';
import { type CallOptions, MemoryHandler, textOf } from './memory-handler.ts';

type Next = (call: MiddlewareCall) => Promise<MiddlewareOutput>;
type Middleware = (next: Next, context: { commandName: string }) => Next;

interface MiddlewareCall {
  readonly input: object;
  readonly request: { body?: unknown };
}

interface MiddlewareOutput {
  readonly output: object;
}

interface Placing {
  readonly step?: string;
  readonly priority?: 'high' | 'normal' | 'low';
}

export interface Command {
  readonly input: object;
  /** The SDK's own, with what was added to this command alone. */
  readonly middlewareStack?: {
    identify(): readonly string[];
    resolve(last: Next, context: { commandName: string }): Next;
  };
}

type ErrorMaker = new (fields: {
  name: string;
  message: string;
  $fault: 'client' | 'server';
  $metadata: { httpStatusCode: number };
}) => Error;

export interface LeanOptions {
  readonly maxAttempts?: number;
  readonly requestHandler?: MemoryHandler;
}

const BEFORE_RETRIES = ['initialize', 'serialize', 'build'];
const PRIORITIES = ['high', 'normal', 'low'];
const THROTTLED = /Throttl|ProvisionedThroughputExceeded|LimitExceeded|TooManyRequests/;
const TRANSIENT = /^(?:TimeoutError|RequestTimeout|RequestTimeoutException)$/;
const BROKEN = /^(?:ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT)$/;
const RETRY_MS = 100;
const THROTTLED_RETRY_MS = 500;
const MAX_RETRY_MS = 20_000;

/**
 * What an AWS client is for long runs: the SDK's own costs a third of a millisecond a call, and a run makes hundreds of
 * thousands of them. It runs the middleware that our code adds and repeats calls by the rules of the SDK's standard
 * mode; it neither signs nor looks for endpoints, and it has no quota of retries. `--sdk whole` runs the SDK instead.
 */
export class LeanClient {
  readonly config: LeanOptions;
  /** What signing would have made of a request. */
  protected readonly signed: object | undefined;
  readonly #prefix: string;
  readonly #errors: ErrorMaker;
  readonly #added: { readonly make: Middleware; readonly placing: Placing }[] = [];
  readonly #handler: MemoryHandler;
  readonly #targets = new Map<string, string>();
  readonly middlewareStack = {
    add: (make: Middleware, placing: Placing = {}) => void this.#added.push({ make, placing }),
  };

  /** @param prefix first part of `x-amz-target` */
  constructor(options: LeanOptions, prefix: string, errors: ErrorMaker) {
    this.config = options;
    this.#prefix = prefix;
    this.#errors = errors;
    this.#handler = options.requestHandler ?? new MemoryHandler();
  }

  send(command: Command, options?: CallOptions): Promise<object> {
    const { input, middlewareStack: own } = command;
    return this.sendAs(command.constructor.name, input, options, own);
  }

  /**
   * @param commandName of the SDK, such as `UpdateItemCommand`
   * @param own middleware of this command alone, next to the request handler
   */
  async sendAs(
    commandName: string,
    input: object,
    options: CallOptions = {},
    own?: Command['middlewareStack'],
  ): Promise<object> {
    // Nothing has been added to most clients.
    if (this.#added.length === 0 && !own?.identify().length) {
      const call = { input, request: {} };
      return (await this.#repeated((sent) => this.#sent(commandName, sent, options), call)).output;
    }
    const context = { commandName };
    const last: Next = (call) => this.#once(commandName, call, options);
    const once = this.#compose(
      (step) => !BEFORE_RETRIES.includes(step),
      context,
      own?.identify().length ? own.resolve(last, context) : last,
    );
    const whole = this.#compose(
      (step) => BEFORE_RETRIES.includes(step),
      context,
      (call) => this.#repeated((signed) => this.#signed(commandName, signed, once), call),
    );
    const { output } = await whole({ input, request: { ...this.signed } });
    return output;
  }

  destroy(): void {}

  #compose(
    isWanted: (step: string) => boolean,
    context: { commandName: string },
    last: Next,
  ): Next {
    if (this.#added.length === 0) return last;
    const order = ({ step = 'initialize', priority = 'normal' }: Placing) =>
      10 * BEFORE_RETRIES.indexOf(step) + PRIORITIES.indexOf(priority);
    return this.#added
      .filter(({ placing }) => isWanted(placing.step ?? 'initialize'))
      .sort((a, b) => order(a.placing) - order(b.placing))
      .reduceRight((next, { make }) => make(next, context), last);
  }

  async #sent(
    commandName: string,
    call: MiddlewareCall,
    options: CallOptions,
  ): Promise<MiddlewareOutput> {
    const waits = running()?.onSigning?.(commandName);
    if (waits !== undefined) await waits;
    return this.#once(commandName, call, options);
  }

  /** Signing waits for credentials, at times for new ones. */
  async #signed(commandName: string, call: MiddlewareCall, once: Next): Promise<MiddlewareOutput> {
    const waits = running()?.onSigning?.(commandName);
    if (waits !== undefined) await waits;
    return once(call);
  }

  async #repeated(once: Next, call: MiddlewareCall): Promise<MiddlewareOutput> {
    const { maxAttempts = 3 } = this.config;
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(call);
      } catch (error) {
        const baseMs = retryBaseMs(error);
        if (baseMs === undefined || attempt >= maxAttempts) throw error;
        const pauseMs = Math.min(MAX_RETRY_MS, Math.random() * 2 ** (attempt - 1) * baseMs);
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }

  /** `x-amz-target` */
  #targetOf(commandName: string): string {
    let target = this.#targets.get(commandName);
    if (target === undefined) {
      target = `${this.#prefix}.${commandName.replace(/Command$/, '')}`;
      this.#targets.set(commandName, target);
    }
    return target;
  }

  async #once(
    commandName: string,
    { input, request }: MiddlewareCall,
    options: CallOptions,
  ): Promise<MiddlewareOutput> {
    const target = this.#targetOf(commandName);
    const payload = request.body === undefined ? input : textOf(request.body);
    const { status, body } = await this.#handler.exchange(target, payload, options);
    const answer = (typeof body === 'string' ? JSON.parse(body) : body) as Record<string, unknown>;
    if (status < 300) return { output: answer };
    const name = String(answer['__type']).replace(/^.*#/, '');
    throw new this.#errors({
      ...answer,
      name,
      message: String(answer['message']),
      $fault: status < 500 ? 'client' : 'server',
      $metadata: { httpStatusCode: status },
    });
  }
}

/** @returns undefined for an error that a repetition would not heal */
function retryBaseMs(error: unknown): number | undefined {
  const {
    name = '',
    code = '',
    $metadata,
  } = error as {
    name?: string;
    code?: string;
    $metadata?: { httpStatusCode: number };
  };
  if (THROTTLED.test(name)) return THROTTLED_RETRY_MS;
  const isServers = ($metadata?.httpStatusCode ?? 0) >= 500;
  return isServers || TRANSIENT.test(name) || BROKEN.test(code) ? RETRY_MS : undefined;
}
