import type { Runners } from './fleet/runners.ts';
import type { HeldEvent } from './history.ts';
import type { Recorder } from './recorder.ts';
import type { Services } from './services.ts';
import type { Scheduler } from './world/scheduler.ts';

interface LevelParts {
  readonly scheduler: Scheduler;
  readonly recorder: Recorder;
  readonly runners: Runners;
  readonly services: Services;
}

const SAMPLES = 40;
const EVERY_MS = 73;
/** A call that has been open for so long is not one that happens to be under way. */
const STUCK_MS = 30_000;

/** What processes hold, for the judge of leaks: the least of many samples, since a heartbeat may be under way in any one. */
export class HeldLevels {
  readonly #parts: LevelParts;

  constructor(parts: LevelParts) {
    this.#parts = parts;
  }

  sample(when: HeldEvent['when']): void {
    const { scheduler, runners } = this.#parts;
    const least = new Map<string, { timers: number; sockets: number }>();
    for (let number = 0; number < SAMPLES; number++) {
      scheduler.after(number * EVERY_MS, undefined, () => {
        for (const { machine } of runners.live) {
          const { timers, sockets } = machine;
          const before = least.get(machine.name) ?? { timers, sockets };
          least.set(machine.name, {
            timers: Math.min(timers, before.timers),
            sockets: Math.min(sockets, before.sockets),
          });
        }
      });
    }
    scheduler.after(SAMPLES * EVERY_MS, undefined, () => this.#note(when, least));
  }

  #note(
    when: HeldEvent['when'],
    least: ReadonlyMap<string, { timers: number; sockets: number }>,
  ): void {
    const { scheduler, recorder, runners, services } = this.#parts;
    const rows = [...services.table.rows().values()];
    const owners = rows.map((row) => row?.['owner']);
    if (when === 'after') {
      const tasks = [...runners.live].map(({ taskId }) => taskId);
      recorder.add({ kind: 'table', rows, indexed: services.table.indexed(), tasks });
    }
    for (const { machine, taskId, isDraining, isReady } of runners.live) {
      const levels = least.get(machine.name);
      if (isDraining || !isReady || levels === undefined) continue;
      const isStuck = ({ sinceMs }: { sinceMs: number }) => scheduler.nowMs - sinceMs > STUCK_MS;
      recorder.add({
        kind: 'held',
        process: machine.name,
        when,
        sessions: owners.filter((owner) => owner === taskId).length,
        ...levels,
        calls: [...machine.calls].filter(isStuck).length,
        // As its own metric of the last minute says, which counts both producers.
        bufferedBytes: machine.levels.get('BufferBytes') ?? 0,
        // A damaged file is set aside for somebody to look at, and the newest ones are kept.
        spoolBytes: machine.disk.bytesOf((path) => !path.endsWith('.damaged')),
      });
    }
  }
}
