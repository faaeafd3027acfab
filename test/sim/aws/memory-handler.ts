import { running } from '../world/machine.ts';
import { world } from '../world/world.ts';

export interface HandlerOptions {
  readonly requestTimeout?: number;
}

export interface CallOptions {
  readonly abortSignal?: AbortSignal | undefined;
  /** 0: none. */
  readonly requestTimeout?: number | undefined;
}

interface HttpRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

interface HttpResponse {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
}

export interface Exchanged {
  readonly status: number;
  /** JSON, or what it would be parsed to. */
  readonly body: string | object;
}

/**
 * The request handler under an AWS client: instead of opening a connection it hands the request to the world's AWS. The
 * client above it is the SDK's own, with its signature, retries and parsing, or lean-client.ts.
 */
export class MemoryHandler {
  readonly metadata = { handlerProtocol: 'http/1.1' };
  readonly #options: HandlerOptions;

  constructor(options: HandlerOptions = {}) {
    this.#options = options;
  }

  static create(given: HandlerOptions | MemoryHandler = {}): MemoryHandler {
    return given instanceof MemoryHandler ? given : new MemoryHandler(given);
  }

  async handle(request: HttpRequest, call?: CallOptions): Promise<{ response: HttpResponse }> {
    const target = request.headers['x-amz-target'] ?? '';
    const { status, body } = await this.exchange(target, textOf(request.body), call);
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': 'sim' };
    return { response: { statusCode: status, headers, body: Buffer.from(text) } };
  }

  /**
   * One try of one call.
   *
   * @param input JSON, or what it would be parsed to
   * @throws Error `TimeoutError`, `AbortError`, or with Node's code for a connection that broke
   */
  exchange(target: string, input: string | object, call: CallOptions = {}): Promise<Exchanged> {
    const { abortSignal, requestTimeout = this.#options.requestTimeout ?? 0 } = call;
    const machine = running();
    if (machine === undefined) throw new Error('an AWS call outside of every simulated process');
    const { promise, resolve, reject } = Promise.withResolvers<Exchanged>();
    if (abortSignal?.aborted) {
      reject(aborted());
      return promise;
    }
    if (!machine.mayAct()) return promise;
    let isOver = false;
    // A long poll is no work that is left undone.
    const open = { sinceMs: machine.scheduler.nowMs };
    if (!target.endsWith('.ReceiveMessage')) machine.calls.add(open);
    const finish = (act: () => void) => {
      if (isOver) return;
      isOver = true;
      machine.calls.delete(open);
      clearTimeout(timer);
      abortSignal?.removeEventListener('abort', abort);
      act();
    };
    const abort = () =>
      finish(() => {
        sent.cancel();
        reject(aborted());
      });
    const late = () => finish(() => reject(named('TimeoutError', 'no answer in time')));
    const timer = requestTimeout > 0 ? setTimeout(late, requestTimeout) : undefined;
    abortSignal?.addEventListener('abort', abort, { once: true });
    const sent = world().aws.send(machine, target, input, {
      answer: (status, output, isTorn) =>
        finish(() => resolve({ status, body: isTorn ? torn(output) : output })),
      failed: (code) =>
        finish(() => reject(Object.assign(named('Error', `connection ${code}`), { code }))),
    });
    machine.onCalled?.(target, input);
    return promise;
  }

  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): HandlerOptions {
    return this.#options;
  }

  destroy(): void {}
}

/** A body as the SDK hands it on. */
export function textOf(body: unknown): string {
  if (typeof body === 'string') return body;
  if (body === undefined) return '';
  const { buffer, byteOffset, byteLength } = body as Uint8Array;
  return Buffer.from(buffer, byteOffset, byteLength).toString();
}

/** The first half of an answer. */
function torn(output: string | object): string {
  const text = typeof output === 'string' ? output : JSON.stringify(output);
  return text.slice(0, text.length / 2);
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

function aborted(): Error {
  return named('AbortError', 'Request aborted');
}
