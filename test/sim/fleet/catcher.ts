import type { MemoryQueue } from '../aws/sqs.ts';
import type { ProcessEvent } from '../history.ts';
import { load } from '../world/loader.ts';
import { Machine } from '../world/machine.ts';
import { world } from '../world/world.ts';

type Handler = (
  event: { Records: { messageId: string; receiptHandle: string; body: string }[] },
  context: { getRemainingTimeInMillis(): number },
) => Promise<{ batchItemFailures: { itemIdentifier: string }[] }>;

interface Execution {
  readonly machine: Machine;
  readonly handler: Promise<Handler>;
  isBusy: boolean;
}

export interface CatcherOptions {
  readonly seed: number;
  readonly queue: MemoryQueue;
  environment(): Record<string, string>;
  onLine(machine: Machine, line: string): void;
}

/** As infra/runner/session-catcher.ts has it. */
const TIMEOUT_MS = 900_000;
const CONCURRENCY = 10;
const BATCH = 50;
const WINDOW_MS = 1_000;
const POLL_MS = 500;
const IDLE_MS = 600_000;

/** The catcher as Lambda runs it: executions that are frozen between invocations, and the event source of its queue. */
export class Catcher {
  readonly executions: Execution[] = [];
  readonly #options: CatcherOptions;
  #isGathering = false;
  #started = 0;
  invocations = 0;

  constructor(options: CatcherOptions) {
    this.#options = options;
    this.#poll();
  }

  #poll(): void {
    const { queue } = this.#options;
    const { scheduler } = world();
    scheduler.after(POLL_MS, undefined, () => this.#poll());
    if (this.#isGathering || queue.visible === 0) return;
    this.#isGathering = true;
    scheduler.after(WINDOW_MS, undefined, () => {
      this.#isGathering = false;
      const busy = this.executions.filter(({ isBusy }) => isBusy).length;
      // Lambda leaves the messages of a throttled batch in the queue.
      if (busy >= CONCURRENCY) return;
      const batch = queue.receive(BATCH);
      if (batch.length > 0) this.#invoke(batch);
    });
  }

  #invoke(batch: ReturnType<MemoryQueue['receive']>): void {
    const { queue } = this.#options;
    const execution =
      this.executions.find((one) => !one.isBusy && one.machine.state === 'frozen') ?? this.#start();
    const { machine } = execution;
    execution.isBusy = true;
    this.invocations += 1;
    if (machine.state === 'frozen') note(machine, 'thawed');
    machine.thaw();
    const endsAtMs = world().scheduler.nowMs + TIMEOUT_MS;
    const context = {
      getRemainingTimeInMillis: () => Math.max(0, endsAtMs - world().scheduler.nowMs),
    };
    const Records = batch.map(({ id, body, receipt }) => ({
      messageId: id,
      receiptHandle: receipt,
      body,
    }));
    const timer = world().scheduler.at(endsAtMs, undefined, () => this.kill(execution));
    machine.after(0, () => {
      void execution.handler
        .then((handler) => handler({ Records }, context))
        .then(
          ({ batchItemFailures }) => batchItemFailures.map(({ itemIdentifier }) => itemIdentifier),
          () => Records.map(({ messageId }) => messageId),
        )
        .then((failed) => {
          // The answer leaves the execution, and Lambda freezes it.
          world().scheduler.after(0, undefined, () => {
            timer.run = undefined;
            if (machine.state === 'dead') return;
            execution.isBusy = false;
            for (const { id, receipt } of batch) if (!failed.includes(id)) queue.delete(receipt);
            machine.freeze();
            note(machine, 'frozen');
            const idleSince = this.invocations;
            world().scheduler.after(IDLE_MS, undefined, () => {
              if (!execution.isBusy && idleSince === this.invocations) this.#drop(execution);
            });
          });
        });
    });
  }

  kill(execution: Execution): void {
    if (execution.machine.state === 'dead') return;
    note(execution.machine, 'killed');
    this.#drop(execution);
  }

  #drop(execution: Execution): void {
    execution.machine.end('killed');
    this.executions.splice(this.executions.indexOf(execution), 1);
    for (const link of world().links)
      if (link.client.machine === execution.machine) link.clientDied();
  }

  #start(): Execution {
    const { seed, environment, onLine } = this.#options;
    const name = `catcher-${++this.#started}/1`;
    const machine: Machine = new Machine(world().scheduler, {
      name,
      seed,
      environment: environment(),
      onLine: (line) => onLine(machine, line),
      onExit: (code) => {
        world().recorder.add({ kind: 'process', process: name, what: 'crashed', code });
        this.#drop(execution);
      },
    });
    note(machine, 'started');
    const handler = Promise.withResolvers<Handler>();
    world().scheduler.hold(
      (async () => {
        const { begun, loaded } = load<{ handler: Handler }>(
          'functions/session-catcher/handler.ts',
          machine,
        );
        await begun;
        handler.resolve((await loaded).handler);
      })(),
    );
    const execution = { machine, handler: handler.promise, isBusy: false };
    this.executions.push(execution);
    return execution;
  }
}

function note({ name }: Machine, what: ProcessEvent['what']): void {
  world().recorder.add({ kind: 'process', process: name, what });
}
