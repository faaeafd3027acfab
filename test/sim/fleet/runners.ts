import type { RunnerTimes } from '../../../runner/runner-process.ts';
import type { ProcessEvent } from '../history.ts';
import { MemoryDisk } from '../world/disk.ts';
import { load } from '../world/loader.ts';
import { Machine, type ProcessClock } from '../world/machine.ts';
import { world } from '../world/world.ts';
import { CLUSTER, METADATA_HOST, SERVICE } from './environment.ts';

interface RunnerModule {
  readonly RUNNER_TIMES: RunnerTimes;
  runProcess(
    environment: Readonly<Record<string, string | undefined>>,
    times: RunnerTimes,
    host: { on(signal: string, listener: () => void): unknown; exit(code: number): void },
  ): Promise<void>;
}

export interface RunnersOptions {
  readonly seed: number;
  environment(taskId: string): Record<string, string>;
  clock(name: string): Partial<ProcessClock>;
  onLine(machine: Machine, line: string): void;
  /** A task has ended, by itself or not: the service may start another one. */
  onEnd(runner: SimulatedRunner): void;
}

/** One task of the service. */
export interface SimulatedRunner {
  readonly machine: Machine;
  readonly taskId: string;
  readonly number: number;
  isReady: boolean;
  isDraining: boolean;
}

/** How long a container may take to end after SIGTERM, as infra sets it. */
const STOP_TIMEOUT_MS = 120_000;

/** The tasks of the service, as ECS starts and stops them. */
export class Runners {
  readonly live = new Set<SimulatedRunner>();
  readonly #options: RunnersOptions;
  readonly #lives = new Map<number, number>();
  #numbers = 0;

  constructor(options: RunnersOptions) {
    this.#options = options;
    world().serveHost(METADATA_HOST, ({ url }) => {
      const taskId = new URL(url).pathname.split('/')[2] ?? '';
      const TaskARN = `arn:aws:ecs:us-east-1:000000000000:task/${CLUSTER}/${taskId}`;
      const metadata = {
        Cluster: CLUSTER,
        TaskARN,
        Family: 'rtms-runner',
        Revision: '1',
        ServiceName: SERVICE,
      };
      return { status: 200, headers: {}, body: JSON.stringify(metadata) };
    });
  }

  /** @param again another life of the process of this number, with the same disk and task */
  start(again?: SimulatedRunner): void {
    const { seed, environment, clock, onLine } = this.#options;
    const number = again?.number ?? ++this.#numbers;
    const life = (this.#lives.get(number) ?? 0) + 1;
    this.#lives.set(number, life);
    const name = `runner-${number}/${life}`;
    const taskId = again?.taskId ?? `task-${number}`;
    const { scheduler } = world();
    const machine: Machine = new Machine(scheduler, {
      name,
      seed,
      environment: environment(taskId),
      disk: again?.machine.disk ?? new MemoryDisk(),
      clock: clock(name),
      onLine: (line) => {
        if (line.includes('"runner_ready"')) {
          runner.isReady = true;
          note('ready');
        }
        onLine(machine, line);
      },
      onExit: (code) => {
        note(code === 0 ? 'exited' : 'crashed', code);
        this.#ended(runner);
      },
    });
    const note = (what: ProcessEvent['what'], code?: number) =>
      world().recorder.add({
        kind: 'process',
        process: name,
        what,
        ...(code !== undefined && { code }),
      });
    const runner: SimulatedRunner = { machine, taskId, number, isReady: false, isDraining: false };
    this.live.add(runner);
    note('started');
    scheduler.hold(this.#boot(machine));
  }

  /** SIGTERM; what is left after the stop timeout is killed. */
  stop(runner: SimulatedRunner): void {
    const { machine } = runner;
    runner.isDraining = true;
    world().recorder.add({ kind: 'process', process: machine.name, what: 'draining' });
    machine.after(0, () => machine.signals.emit('SIGTERM'));
    world().scheduler.after(STOP_TIMEOUT_MS, undefined, () => this.kill(runner));
  }

  kill(runner: SimulatedRunner): void {
    const { machine } = runner;
    if (machine.state === 'dead') return;
    machine.end('killed');
    world().recorder.add({ kind: 'process', process: machine.name, what: 'killed' });
    this.#ended(runner);
  }

  freeze(runner: SimulatedRunner, durationMs: number): void {
    const { machine } = runner;
    if (machine.state !== 'running') return;
    machine.freeze();
    world().recorder.add({ kind: 'process', process: machine.name, what: 'frozen' });
    world().scheduler.after(durationMs, undefined, () => {
      if (machine.state !== 'frozen') return;
      world().recorder.add({ kind: 'process', process: machine.name, what: 'thawed' });
      machine.thaw();
    });
  }

  #ended(runner: SimulatedRunner): void {
    this.live.delete(runner);
    for (const link of world().links) if (link.client.machine === runner.machine) link.clientDied();
    this.#options.onEnd(runner);
  }

  async #boot(machine: Machine): Promise<void> {
    const { begun, loaded } = load<RunnerModule>('runner/runner-process.ts', machine);
    await begun;
    const { runProcess, RUNNER_TIMES } = await loaded;
    const host = {
      on: (signal: string, listener: () => void) => machine.signals.on(signal, listener),
      exit: (code: number) => machine.end('exited', code),
    };
    machine.after(0, () => void runProcess(machine.environment, RUNNER_TIMES, host));
  }
}
