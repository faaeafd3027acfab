import { EventEmitter } from 'node:events';
import { type Machine, running } from '../world/machine.ts';
import type { Task } from '../world/scheduler.ts';
import { world } from '../world/world.ts';
import { readRequest, writeAnswer } from './put-exchange.ts';

/** What `connect` of `node:net` and `node:tls` is told by the runner's writer. */
export interface ConnectOptions {
  readonly onread: { readonly buffer: Buffer; callback(length: number): boolean };
}

/**
 * A socket to Kinesis in memory: the part of Node's that `runner/kinesis/http/kept-connection.ts` uses. What is written is a
 * request, head and body, and its answer comes back as bytes.
 */
export class MemorySocket extends EventEmitter {
  readonly #machine: Machine;
  readonly #read: ConnectOptions['onread'];
  #isOver = false;
  /** The call that waits for its answer. */
  #call: { readonly sinceMs: number } | undefined;
  #idleMs = 0;
  #usedAtMs = 0;
  #idleTimer: Task | undefined;

  constructor({ onread }: ConnectOptions, hasTls: boolean) {
    super();
    const machine = running();
    if (machine === undefined) throw new Error('a socket outside of every simulated process');
    this.#machine = machine;
    this.#read = onread;
    if (!machine.mayAct()) return;
    machine.kinesis.opened(this);
    world().aws.connect(machine, {
      connected: (roundTripMs) => {
        if (this.#isOver) return;
        this.emit('connect');
        if (!hasTls) return;
        machine.kinesis.handshake(() =>
          machine.after(roundTripMs, () => {
            if (!this.#isOver) this.emit('secureConnect');
          }),
        );
      },
      failed: (code) => this.destroy(broken(code)),
    });
  }

  get destroyed(): boolean {
    return this.#isOver;
  }

  /** @param taken told when the kernel has all bytes; the caller may then write other ones into their memory */
  write(bytes: Buffer, taken: () => void): void {
    const machine = this.#machine;
    if (this.#isOver || !machine.mayAct()) return;
    queueMicrotask(taken);
    this.#usedAtMs = machine.scheduler.nowMs;
    const { target, input, format } = readRequest(bytes);
    const call = { sinceMs: this.#usedAtMs };
    this.#call = call;
    machine.calls.add(call);
    world().aws.send(machine, target, input, {
      answer: (status, output, isTorn) => {
        const answer = writeAnswer(status, output, format, machine.scheduler.nowMs);
        this.#answered(isTorn ? answer.subarray(0, answer.length / 2) : answer);
        if (isTorn && !this.#isOver) this.emit('end');
      },
      failed: (code) => this.destroy(broken(code)),
    });
    machine.onCalled?.(target, input);
  }

  /** Nothing comes from it any more. */
  destroy(error?: Error): this {
    if (this.#isOver) return this;
    this.#isOver = true;
    this.#machine.kinesis.closed(this);
    this.#callOver();
    if (this.#idleTimer) this.#idleTimer.run = undefined;
    this.#machine.after(0, () => {
      if (error) this.emit('error', error);
      this.emit('close');
    });
    return this;
  }

  /** Told by `timeout` when nothing has passed for so long, ms. */
  setTimeout(idleMs: number): this {
    this.#idleMs = idleMs;
    this.#usedAtMs = this.#machine.scheduler.nowMs;
    if (this.#idleTimer === undefined) this.#watchIdle(idleMs);
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  /** One timer, begun anew when it finds the socket used: one for each call would cost more than the call's answer. */
  #watchIdle(delayMs: number): void {
    this.#idleTimer = this.#machine.after(delayMs, () => {
      const leftMs = this.#usedAtMs + this.#idleMs - this.#machine.scheduler.nowMs;
      if (leftMs > 0) return this.#watchIdle(leftMs);
      this.#idleTimer = undefined;
      this.emit('timeout');
    });
  }

  #answered(bytes: Buffer): void {
    this.#callOver();
    this.#usedAtMs = this.#machine.scheduler.nowMs;
    const { buffer, callback } = this.#read;
    for (let at = 0; at < bytes.length && !this.#isOver; at += buffer.length) {
      callback(bytes.copy(buffer, 0, at, at + buffer.length));
    }
  }

  #callOver(): void {
    if (this.#call) this.#machine.calls.delete(this.#call);
    this.#call = undefined;
  }
}

function broken(code: string): Error {
  return Object.assign(new Error(`connection ${code}`), { code });
}
