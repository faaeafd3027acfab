import type { ModelOptions } from './steps.ts';

/** The models that are searched. */
export const MODELS = {
  /**
   * Two tasks and one stream without any bound on what fails: renewals, looks and answers come at any time or never, and a
   * release may arrive late. It is the strongest statement about two writers.
   */
  free: {
    tasks: 2,
    streams: 1,
    slots: 1,
    newTasks: 0,
    pace: 'free',
    budget: { silences: 0, losses: 0, crashes: 0, drains: 0 },
  },
  /** Two tasks with one slot each, and two streams: small enough for every run of the tests. */
  even: {
    tasks: 2,
    streams: 2,
    slots: 1,
    newTasks: 0,
    pace: 'even',
    budget: { silences: 1, losses: 1, crashes: 1, drains: 1 },
  },
  /**
   * Three tasks with one slot each, one of them of a newer revision, and two streams. A task that falls silent for good has
   * crashed.
   */
  fleet: {
    tasks: 3,
    streams: 2,
    slots: 1,
    newTasks: 1,
    pace: 'even',
    budget: { silences: 1, losses: 1, crashes: 0, drains: 1 },
  },
} as const satisfies Record<string, ModelOptions>;
