import { running } from '../world/machine.ts';
import { world } from '../world/world.ts';

interface HandlerOptions {
  readonly requestTimeout?: number;
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

/**
 * The request handler under an AWS client: instead of opening a connection it hands the request to the world's AWS. The
 * client above it is the SDK's own, with its signature, retries and parsing.
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

  handle(
    request: HttpRequest,
    call: { abortSignal?: AbortSignal; requestTimeout?: number } = {},
  ): Promise<{ response: HttpResponse }> {
    const { abortSignal, requestTimeout = this.#options.requestTimeout ?? 0 } = call;
    const machine = running();
    if (machine === undefined) throw new Error('an AWS call outside of every simulated process');
    const { promise, resolve, reject } = Promise.withResolvers<{ response: HttpResponse }>();
    if (abortSignal?.aborted) {
      reject(aborted());
      return promise;
    }
    if (!machine.mayAct()) return promise;
    let isOver = false;
    machine.calls += 1;
    const finish = (act: () => void) => {
      if (isOver) return;
      isOver = true;
      machine.calls -= 1;
      clearTimeout(timer);
      abortSignal?.removeEventListener('abort', abort);
      act();
    };
    const abort = () =>
      finish(() => {
        sent.cancel();
        reject(aborted());
      });
    const timer =
      requestTimeout > 0
        ? setTimeout(
            () => finish(() => reject(named('TimeoutError', 'no answer in time'))),
            requestTimeout,
          )
        : undefined;
    abortSignal?.addEventListener('abort', abort, { once: true });
    const sent = world().aws.send(
      machine,
      request.headers['x-amz-target'] ?? '',
      textOf(request.body),
      {
        answer: (status, body) =>
          finish(() =>
            resolve({
              response: {
                statusCode: status,
                headers: {
                  'content-type': 'application/x-amz-json-1.1',
                  'x-amzn-requestid': 'simulated',
                },
                body: Buffer.from(body),
              },
            }),
          ),
        failed: (code) =>
          finish(() => reject(Object.assign(named('Error', `connection ${code}`), { code }))),
      },
    );
    return promise;
  }

  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): HandlerOptions {
    return this.#options;
  }

  destroy(): void {}
}

function textOf(body: unknown): string {
  if (typeof body === 'string') return body;
  if (body === undefined) return '';
  const { buffer, byteOffset, byteLength } = body as Uint8Array;
  return Buffer.from(buffer, byteOffset, byteLength).toString();
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

function aborted(): Error {
  return named('AbortError', 'Request aborted');
}
