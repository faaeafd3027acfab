import type { Cancel, Clock } from '../../../simulator/clock.ts';
import type { Simulator, SimulatorOptions } from '../../../simulator/simulator.ts';
import { load } from '../world/loader.ts';
import { Machine } from '../world/machine.ts';
import type { Scheduler } from '../world/scheduler.ts';

/** Zoom's servers look at what is due this often; a frame that is due in between is sent at the next look. */
const LEAST_INTERVAL_MS = 1_000;

function clockOf(machine: Machine, scheduler: Scheduler): Clock {
  const every = (intervalMs: number, run: () => void): Cancel => {
    let task = machine.after(intervalMs, tick);
    function tick() {
      task = machine.after(intervalMs, tick);
      run();
    }
    return () => {
      task.run = undefined;
    };
  };
  return {
    now: () => Math.floor(scheduler.nowMs),
    after(delayMs, run) {
      const task = machine.after(delayMs, run);
      return () => {
        task.run = undefined;
      };
    },
    every: (intervalMs, run) => every(Math.max(intervalMs, LEAST_INTERVAL_MS), run),
  };
}

export interface Zoom {
  readonly machine: Machine;
  readonly simulator: Simulator;
  /** Does something as Zoom. */
  act(run: (simulator: Simulator) => void): void;
}

/** Starts the shipped simulator of Zoom as a process of its own. */
export async function startZoom(
  scheduler: Scheduler,
  seed: number,
  options: SimulatorOptions,
): Promise<Zoom> {
  const machine = new Machine(scheduler, { name: 'zoom/1', seed, environment: {} });
  const { begun, loaded } = load<typeof import('../../../simulator/simulator.ts')>(
    'simulator/simulator.ts',
    machine,
  );
  await begun;
  const { startSimulator } = await loaded;
  let simulator: Simulator | undefined;
  machine.after(0, () => {
    const clock = clockOf(machine, scheduler);
    void startSimulator({ ...options, clock, seed: `zoom-${seed}` }).then((started) => {
      simulator = started;
    });
  });
  await scheduler.run(() => simulator !== undefined);
  const started = simulator as unknown as Simulator;
  return {
    machine,
    simulator: started,
    act: (run) => void machine.after(0, () => run(started)),
  };
}
