import type { Machine } from '../world/machine.ts';
import type { Scheduler } from '../world/scheduler.ts';

/** What goes wrong with one call. */
export interface CallFate {
  /** Each way, ms. */
  readonly latencyMs: number;
  /** Refused before anything is done. */
  readonly refuse?: { readonly status: number; readonly type: string };
  /** `request`: it never arrives. `answer`: it is carried out, and its answer never comes. */
  readonly lost?: 'request' | 'answer';
  /** With `lost`: the connection is reset, instead of nothing being heard of it any more. */
  readonly isReset?: boolean;
  /** Only the first half of the answer's bytes come. */
  readonly isTorn?: boolean;
}

/** A call as a service sees it. */
export interface ServiceCall {
  readonly machine: Machine;
  readonly operation: string;
  readonly input: Record<string, unknown>;
  /** When it left the process. */
  readonly sentAtMs: number;
  readonly sentAtStep: number;
  readonly id: number;
  /** Is somebody there to read an answer? Of a long poll. */
  isGone(): boolean;
}

/** Carries out calls. Answers by `reply`, once, now or later; throws `Refusal`. */
export type Service = (call: ServiceCall, reply: (output: object | string) => void) => void;

/** A service's own error. */
export class Refusal extends Error {
  readonly type: string;
  readonly status: number;
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(type: string, message: string, status = 400, fields = {}) {
    super(message);
    this.type = type;
    this.status = status;
    this.fields = fields;
  }
}

interface Hearing {
  /** @param isTorn only the first half of its bytes has come */
  answer(status: number, output: string | object, isTorn: boolean): void;
  failed(code: string): void;
}

interface Connecting {
  connected(roundTripMs: number): void;
  failed(code: string): void;
}

const KINESIS = 'Kinesis_20131202';

export interface AwsOptions {
  readonly scheduler: Scheduler;
  /** The step of the newest event of the history. */
  step(): number;
  /** By the first part of `x-amz-target`. */
  readonly services: Readonly<Record<string, Service>>;
  fate(machine: Machine, service: string, operation: string): CallFate;
  /** Told of every call that was carried out or refused, and whether its answer reached the process. */
  heard(call: ServiceCall, service: string, outcome: 'answered' | 'failed', error?: string): void;
  sent(call: ServiceCall, service: string): void;
}

/** AWS as one process sees it: requests and answers that take time, and that may be lost on either way. */
export class Aws {
  readonly #options: AwsOptions;
  #calls = 0;

  constructor(options: AwsOptions) {
    this.#options = options;
  }

  /** A socket to Kinesis is opened: that takes its time, is refused, or nobody answers. */
  connect(machine: Machine, { connected, failed }: Connecting): void {
    const { latencyMs, lost, isReset } = this.#options.fate(machine, KINESIS, 'connect');
    if (lost !== undefined && !isReset) return;
    machine.after(2 * latencyMs, () =>
      lost === undefined ? connected(2 * latencyMs) : failed('ECONNREFUSED'),
    );
  }

  send(
    machine: Machine,
    target: string,
    body: string | object,
    hearing: Hearing,
  ): { cancel(): void } {
    const { scheduler, step, services, fate: decide, heard, sent } = this.#options;
    const [service = '', operation = ''] = target.split('.');
    const serve = services[service];
    if (serve === undefined) throw new Error(`the simulated AWS has no service ${target}`);
    const fate = decide(machine, service, operation);
    let isGone = false;
    this.#calls += 1;
    const call: ServiceCall = {
      machine,
      operation,
      input: inputOf(body),
      sentAtMs: scheduler.nowMs,
      sentAtStep: step(),
      id: this.#calls,
      isGone: () => isGone || machine.state === 'dead',
    };
    sent(call, service);
    const tell = (status: number, output: string | object, error?: string) => {
      if (fate.lost === 'answer') return fail();
      machine.after(fate.latencyMs, () => {
        const isTorn = fate.isTorn === true;
        // Nobody can read half an answer.
        const unheard = isTorn ? 'torn' : error;
        heard(call, service, unheard === undefined ? 'answered' : 'failed', unheard);
        hearing.answer(status, output, isTorn);
      });
    };
    const fail = () => {
      if (!fate.isReset) return;
      machine.after(fate.latencyMs, () => {
        heard(call, service, 'failed', 'ECONNRESET');
        hearing.failed('ECONNRESET');
      });
    };
    const refuse = ({ type, status, message, fields }: Refusal) =>
      tell(status, { __type: type, message, ...fields }, type);
    scheduler.after(fate.latencyMs, undefined, () => {
      if (fate.lost === 'request') return fail();
      if (fate.refuse) return refuse(new Refusal(fate.refuse.type, 'injected', fate.refuse.status));
      try {
        serve(call, (output) => tell(200, output));
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        refuse(error);
      }
    });
    return { cancel: () => (isGone = true) };
  }
}

function inputOf(body: string | object): Record<string, unknown> {
  const input = typeof body === 'string' ? JSON.parse(body === '' ? '{}' : body) : body;
  return input as Record<string, unknown>;
}
