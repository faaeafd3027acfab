import { createHash } from 'node:crypto';
import type { Service, ServiceCall } from './aws.ts';

interface Message {
  readonly id: string;
  readonly body: string;
  visibleAtMs: number;
  receipts: number;
}

interface Waiter {
  readonly call: ServiceCall;
  readonly reply: (output: object) => void;
}

export interface QueueOptions {
  readonly visibilityMs: number;
  readonly maxReceives: number;
  nowMs(): number;
  after(delayMs: number, run: () => void): void;
  /** Shall this message be delivered to one more receiver, as SQS may? */
  isDoubled(): boolean;
}

/** One SQS queue, with visibility, delays, long polls and a dead-letter count. */
export class MemoryQueue {
  readonly #options: QueueOptions;
  readonly #messages: Message[] = [];
  #waiting: Waiter[] = [];
  #ids = 0;
  /** Messages that were received too often. */
  dead: string[] = [];

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  get visible(): number {
    const nowMs = this.#options.nowMs();
    return this.#messages.filter(({ visibleAtMs }) => visibleAtMs <= nowMs).length;
  }

  get size(): number {
    return this.#messages.length;
  }

  send(body: string, delayMs = 0): string {
    const id = `message-${++this.#ids}`;
    this.#messages.push({ id, body, visibleAtMs: this.#options.nowMs() + delayMs, receipts: 0 });
    this.#lookLater(delayMs);
    return id;
  }

  receive(most: number): { id: string; body: string; receipt: string; receives: number }[] {
    const { nowMs, visibilityMs, maxReceives, isDoubled } = this.#options;
    const found = [];
    for (const message of [...this.#messages]) {
      if (message.visibleAtMs > nowMs() || found.length === most) continue;
      if (message.receipts >= maxReceives) {
        this.dead.push(message.body);
        this.#messages.splice(this.#messages.indexOf(message), 1);
        continue;
      }
      message.receipts += 1;
      if (!isDoubled()) {
        message.visibleAtMs = nowMs() + visibilityMs;
        this.#lookLater(visibilityMs);
      }
      const { id, body, receipts } = message;
      found.push({ id, body, receipt: `${id}/${receipts}`, receives: receipts });
    }
    return found;
  }

  delete(receipt: string): void {
    const at = this.#messages.findIndex(({ id }) => receipt.startsWith(`${id}/`));
    if (at >= 0) this.#messages.splice(at, 1);
  }

  changeVisibility(receipt: string, delayMs: number): void {
    const message = this.#messages.find(({ id }) => receipt.startsWith(`${id}/`));
    if (message === undefined) return;
    message.visibleAtMs = this.#options.nowMs() + delayMs;
    this.#lookLater(delayMs);
  }

  /** A long poll. */
  wait(call: ServiceCall, reply: (output: object) => void): void {
    const { MaxNumberOfMessages: most = 1, WaitTimeSeconds: seconds = 0 } = call.input as {
      MaxNumberOfMessages?: number;
      WaitTimeSeconds?: number;
    };
    const found = this.receive(most);
    if (found.length > 0 || seconds === 0) {
      reply({ Messages: found.map(wireMessage) });
      return;
    }
    const waiter = { call, reply };
    this.#waiting.push(waiter);
    this.#options.after(seconds * 1_000, () => {
      const at = this.#waiting.indexOf(waiter);
      if (at < 0) return;
      this.#waiting.splice(at, 1);
      reply({});
    });
  }

  #lookLater(delayMs: number): void {
    this.#options.after(delayMs, () => this.#serve());
  }

  #serve(): void {
    this.#waiting = this.#waiting.filter(({ call }) => !call.isGone());
    while (this.#waiting.length > 0 && this.visible > 0) {
      const { call, reply } = this.#waiting.shift() as Waiter;
      const found = this.receive(Number(call.input['MaxNumberOfMessages'] ?? 1));
      reply({ Messages: found.map(wireMessage) });
    }
  }
}

/** The SDK compares it. */
const md5 = (text: string) => createHash('md5').update(text).digest('hex');

const wireMessage = (message: { id: string; body: string; receipt: string; receives: number }) => ({
  MessageId: message.id,
  ReceiptHandle: message.receipt,
  Body: message.body,
  MD5OfBody: md5(message.body),
  Attributes: { ApproximateReceiveCount: String(message.receives) },
});

/** @param queues by the last part of their URL */
export function sqsService(queues: Readonly<Record<string, MemoryQueue>>): Service {
  return (call, reply) => {
    const { operation, input } = call;
    const name = String(input['QueueUrl']).split('/').at(-1) ?? '';
    const queue = queues[name];
    if (queue === undefined) throw new Error(`no queue ${name}`);
    const receipt = String(input['ReceiptHandle']);
    switch (operation) {
      case 'SendMessage': {
        const id = queue.send(
          String(input['MessageBody']),
          Number(input['DelaySeconds'] ?? 0) * 1_000,
        );
        return reply({ MessageId: id, MD5OfMessageBody: md5(String(input['MessageBody'])) });
      }
      case 'ReceiveMessage':
        return queue.wait(call, reply);
      case 'DeleteMessage':
        queue.delete(receipt);
        return reply({});
      case 'ChangeMessageVisibility':
        queue.changeVisibility(receipt, Number(input['VisibilityTimeout']) * 1_000);
        return reply({});
      case 'GetQueueAttributes':
        return reply({ Attributes: { ApproximateNumberOfMessages: String(queue.visible) } });
      default:
        throw new Error(`the simulated SQS has no ${operation}`);
    }
  };
}
