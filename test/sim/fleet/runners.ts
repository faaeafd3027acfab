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
  readonly taskArn: string;
  readonly number: number;
  /** Of the service, as it was when the task started. */
  readonly revision: number;
  isReady: boolean;
  isDraining: boolean;
}

/** How long a container may take to end after SIGTERM, as infra sets it. */
const STOP_TIMEOUT_MS = 120_000;

/** How often ECS looks which old tasks may be stopped. */
const DEPLOY_LOOK_MS = 10_000;

const arnOf = (taskId: string) => `arn:aws:ecs:us-east-1:000000000000:task/${CLUSTER}/${taskId}`;

/** The tasks of the service, as ECS starts and stops them. */
export class Runners {
  readonly live = new Set<SimulatedRunner>();
  readonly #options: RunnersOptions;
  readonly #lives = new Map<number, number>();
  #numbers = 0;
  #revision = 1;

  constructor(options: RunnersOptions) {
    this.#options = options;
    world().serveHost(METADATA_HOST, ({ url }) => {
      const taskId = new URL(url).pathname.split('/')[2] ?? '';
      const TaskARN = arnOf(taskId);
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
    const taskArn = arnOf(taskId);
    const revision = again?.revision ?? this.#revision;
    const levels = { isReady: false, isDraining: false };
    const runner: SimulatedRunner = { machine, taskId, taskArn, number, revision, ...levels };
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

  /** @param then `restarts`: the same task comes back, so the service starts no other one */
  kill(runner: SimulatedRunner, then?: 'restarts'): void {
    const { machine } = runner;
    if (machine.state === 'dead') return;
    machine.end('killed');
    world().recorder.add({ kind: 'process', process: machine.name, what: 'killed' });
    this.#ended(runner, then);
  }

  freeze(runner: SimulatedRunner, durationMs: number): void {
    const { machine } = runner;
    if (machine.state !== 'running') return;
    machine.freeze();
    world().recorder.add({ kind: 'process', process: machine.name, what: 'frozen' });
    world().scheduler.after(durationMs, undefined, () => this.thaw(runner));
  }

  thaw({ machine }: SimulatedRunner): void {
    if (machine.state !== 'frozen') return;
    world().recorder.add({ kind: 'process', process: machine.name, what: 'thawed' });
    machine.thaw();
  }

  /**
   * A rolling deployment: as many new tasks as the service is to have, and old ones are stopped when new ones are ready and
   * no protection keeps them. As many as there are old ones would be twice as many each time, while protected ones stay.
   */
  deploy(desiredCount: number, isProtected: (taskArn: string) => boolean): void {
    this.#revision += 1;
    const revision = this.#revision;
    for (let count = 0; count < desiredCount; count++) this.start();
    const look = () => {
      if (revision !== this.#revision) return;
      const left = [...this.live].filter((runner) => runner.revision < revision);
      const isNewReady = [...this.live].some(
        (runner) => runner.revision === revision && runner.isReady,
      );
      for (const runner of left) {
        if (isNewReady && !runner.isDraining && !isProtected(runner.taskArn)) this.stop(runner);
      }
      if (left.length > 0) world().scheduler.after(DEPLOY_LOOK_MS, undefined, look);
    };
    world().scheduler.after(DEPLOY_LOOK_MS, undefined, look);
  }

  #ended(runner: SimulatedRunner, then?: 'restarts'): void {
    this.live.delete(runner);
    for (const link of world().links) if (link.client.machine === runner.machine) link.clientDied();
    if (then === undefined) this.#options.onEnd(runner);
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
