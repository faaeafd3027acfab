import type { Catcher } from './fleet/catcher.ts';
import { zoomSecrets } from './fleet/environment.ts';
import type { Runners, SimulatedRunner } from './fleet/runners.ts';
import type { Zoom } from './fleet/zoom.ts';
import { Operators } from './operators.ts';
import { isTakenFrom, Races } from './races.ts';
import type { Recorder } from './recorder.ts';
import type { Services, Weather } from './services.ts';
import { Strain } from './strain.ts';
import type { Scheduler } from './world/scheduler.ts';
import { world } from './world/world.ts';
import { ZoomActs } from './zoom-acts.ts';

export interface TargetParts {
  readonly scheduler: Scheduler;
  readonly recorder: Recorder;
  readonly runners: Runners;
  readonly catcher: Catcher;
  readonly services: Services;
  readonly weather: Weather;
  readonly zoom: Zoom;
}

type Random = () => number;

/** A dead owner is followed by another within this time, if at all; looked for this often. */
const SUCCESSOR_MS = 60_000;
const SUCCESSOR_LOOK_MS = 20;

/** What can be done to the world. Each act returns what was done, in words, or undefined when there was nothing to do it to. */
export class Targets {
  readonly #parts: TargetParts;
  readonly races: Races;
  readonly operators: Operators;
  readonly strain: Strain;
  readonly zoomActs: ZoomActs;
  #secrets = 0;

  constructor(parts: TargetParts) {
    this.#parts = parts;
    this.races = new Races(parts);
    this.operators = new Operators(parts);
    this.strain = new Strain(parts);
    this.zoomActs = new ZoomActs(parts);
  }

  after(delayMs: number, run: () => void): void {
    this.#parts.scheduler.after(delayMs, undefined, run);
  }

  note(fault: string, words: string): void {
    this.#parts.recorder.add({ kind: 'fault', fault, words });
  }

  kill(random: Random): string | undefined {
    const runner = this.#runner(random);
    if (runner) this.#parts.runners.kill(runner);
    return runner && `kill -9 of ${runner.machine.name}`;
  }

  /** In the middle of what it does: after some more messages, calls and writes. */
  killAtEffect(random: Random, effects: number): string | undefined {
    const runner = this.#runner(random);
    if (runner === undefined) return undefined;
    this.#killAfter(runner, Math.floor(effects));
    return `kill -9 of ${runner.machine.name} after ${Math.floor(effects)} more sends`;
  }

  killCatcher(random: Random): string | undefined {
    const { catcher } = this.#parts;
    const execution = catcher.executions[Math.floor(random() * catcher.executions.length)];
    if (execution) catcher.kill(execution);
    return execution && `kill -9 of ${execution.machine.name}`;
  }

  /**
   * Killed, and after it the first process that takes over one of its streams: some messages, calls and writes after that
   * claim, which may be before it is connected or has written anything.
   */
  killSuccessor(random: Random, effects: number): string | undefined {
    const { recorder, runners, catcher, scheduler } = this.#parts;
    const runner = this.#runner(random);
    if (runner === undefined) return undefined;
    let from = recorder.common.length;
    const untilMs = scheduler.nowMs + SUCCESSOR_MS;
    const look = () => {
      const claim = recorder.common
        .slice(from)
        .find((event) => event.kind === 'row' && isTakenFrom(event, runner.taskId));
      from = recorder.common.length;
      if (claim?.kind !== 'row') {
        if (scheduler.nowMs < untilMs) this.after(SUCCESSOR_LOOK_MS, look);
        return;
      }
      const next = [...runners.live].find(({ machine }) => machine.name === claim.process);
      if (next !== undefined) this.#killAfter(next, effects);
      const execution = catcher.executions.find(({ machine }) => machine.name === claim.process);
      if (execution !== undefined) catcher.kill(execution);
      this.note('kill_successor', `kill -9 of ${claim.process}, which had taken over`);
    };
    runners.kill(runner);
    look();
    return `kill -9 of ${runner.machine.name}, and of who takes over from it, after ${effects} more sends`;
  }

  /** Killed, and started again as the same task with its disk, of which the last write may be torn, or some writes lost. */
  restart(random: Random, downMs: number): string | undefined {
    const runner = this.#runner(random);
    if (runner === undefined) return undefined;
    const { name, disk } = runner.machine;
    this.#parts.runners.kill(runner, 'restarts');
    const left = disk.crash(random);
    this.after(downMs, () => this.#parts.runners.start(runner));
    return `kill -9 of ${name}, which comes back after ${Math.round(downMs)} ms${left}`;
  }

  freeze(random: Random, durationMs: number): string | undefined {
    const runner = this.#runner(random);
    if (runner) this.#parts.runners.freeze(runner, durationMs);
    return runner && `${runner.machine.name} freezes for ${Math.round(durationMs)} ms`;
  }

  stop(random: Random): string | undefined {
    const runner = this.#runner(random);
    if (runner) this.#parts.runners.stop(runner);
    return runner && `SIGTERM for ${runner.machine.name}`;
  }

  deploy(): string {
    const { ecs } = this.#parts.services;
    ecs.deploy();
    this.#parts.runners.deploy(ecs.desiredCount ?? 0, (taskArn) => ecs.isProtected(taskArn));
    return 'a new revision is deployed';
  }

  scaleIn(random: Random): string | undefined {
    const { ecs } = this.#parts.services;
    const free = this.#ready().filter(({ taskArn }) => !ecs.isProtected(taskArn));
    const runner = free[Math.floor(random() * free.length)];
    if (runner) this.#parts.runners.stop(runner);
    return runner && `ECS stops ${runner.machine.name}, which is not protected`;
  }

  kinesisOutage(durationMs: number): string {
    this.#parts.weather.kinesisDownUntilMs = this.#parts.scheduler.nowMs + durationMs;
    return `Kinesis takes nothing for ${Math.round(durationMs)} ms`;
  }

  indexLag(lagMs: number, durationMs: number): string {
    const { weather } = this.#parts;
    const before = weather.indexLagMs;
    weather.indexLagMs = lagMs;
    this.after(durationMs, () => {
      weather.indexLagMs = before;
    });
    return `the index is up to ${Math.round(lagMs)} ms behind for ${Math.round(durationMs)} ms`;
  }

  doubledMessages(durationMs: number): string {
    const { weather } = this.#parts;
    weather.doubled = 0.5;
    this.after(durationMs, () => {
      weather.doubled = 0;
    });
    return `queues deliver twice for ${Math.round(durationMs)} ms`;
  }

  breakLink(random: Random, how: 'break' | 'silence'): string | undefined {
    const links = [...world().links];
    const link = links[Math.floor(random() * links.length)];
    if (link === undefined) return undefined;
    if (how === 'break') link.break();
    else link.goSilent();
    const what = how === 'break' ? 'breaks' : 'goes silent';
    return `socket ${link.id} of ${link.client.machine.name} ${what}`;
  }

  dials(fate: 'refused' | 'silent', durationMs: number): string {
    world().dialFate = () => fate;
    this.after(durationMs, () => {
      world().dialFate = () => undefined;
    });
    return `Zoom's servers ${fate === 'refused' ? 'refuse' : 'do not answer'} new connections for ${Math.round(durationMs)} ms`;
  }

  /** Zoom knows the new secret at once, and Secrets Manager `lateMs` later. */
  rotateSecret(lateMs: number): string {
    const { zoom, services } = this.#parts;
    const clientSecret = `clientSecret${++this.#secrets}`;
    zoom.act((simulator) => simulator.rotate({ clientSecret }));
    this.after(lateMs, () => {
      for (const [id, value] of Object.entries(zoomSecrets(clientSecret)))
        services.secrets.put(id, value);
    });
    return `Zoom's client secret is rotated, and stored ${Math.round(lateMs)} ms later`;
  }

  splitShard(random: Random): string | undefined {
    const { kinesis } = this.#parts.services;
    const name = random() < 0.7 ? 'media' : 'events';
    const open = kinesis.stream(name).openShards;
    const shard = open[Math.floor(random() * open.length)];
    if (shard === undefined || open.length > 16) return undefined;
    const { start, end } = shard.range;
    const middle = String((start + end) / 2n);
    kinesis.run(
      'SplitShard',
      { StreamName: name, ShardToSplit: shard.id, NewStartingHashKey: middle },
      () => undefined,
    );
    return `shard ${shard.id} of ${name} is split`;
  }

  disk(random: Random, isBroken: boolean, durationMs: number): string | undefined {
    const runner = this.#runner(random);
    if (runner === undefined) return undefined;
    const { faults } = runner.machine.disk;
    if (isBroken) faults.isBroken = true;
    else faults.limitBytes = Math.floor(random() * 200_000);
    this.after(durationMs, () => {
      Object.assign(faults, { isBroken: false, limitBytes: Number.POSITIVE_INFINITY });
    });
    const what = isBroken ? 'fails' : `has room for ${faults.limitBytes} bytes`;
    return `the disk of ${runner.machine.name} ${what} for ${Math.round(durationMs)} ms`;
  }

  #killAfter(runner: SimulatedRunner, effects: number): void {
    runner.machine.effectsLeft = effects;
    runner.machine.onKilledByEffect = () => this.#parts.runners.kill(runner);
  }

  #ready(): SimulatedRunner[] {
    return [...this.#parts.runners.live].filter(
      ({ isReady, isDraining, machine }) => isReady && !isDraining && machine.state === 'running',
    );
  }

  #runner(random: Random): SimulatedRunner | undefined {
    const ready = this.#ready();
    return ready[Math.floor(random() * ready.length)];
  }
}
