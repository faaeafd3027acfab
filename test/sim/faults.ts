import type { CallFate } from './aws/aws.ts';

export const FAULTS = ['kill', 'freeze', 'aws', 'connections'] as const;
export type FaultName = (typeof FAULTS)[number];

/** What can be done to the world, as faults see it. */
export interface FaultTargets {
  after(delayMs: number, run: () => void): void;
  /** Says what was done, in words; undefined when there was nothing to do it to. */
  kill(random: () => number): string | undefined;
  killAtEffect(random: () => number): string | undefined;
  freeze(random: () => number, durationMs: number): string | undefined;
  breakLink(random: () => number, how: 'break' | 'black_hole'): string | undefined;
  note(fault: FaultName, words: string): void;
}

interface FaultPlan {
  readonly name: FaultName;
  /** Mean time from one to the next, ms. */
  readonly everyMs: number;
  act(targets: FaultTargets, random: () => number): string | undefined;
}

const MINUTE_MS = 60_000;

const PLANS: readonly FaultPlan[] = [
  {
    name: 'kill',
    everyMs: 20 * MINUTE_MS,
    act: (targets, random) =>
      random() < 0.5 ? targets.kill(random) : targets.killAtEffect(random),
  },
  {
    name: 'freeze',
    everyMs: 15 * MINUTE_MS,
    act: (targets, random) => targets.freeze(random, 500 + random() ** 2 * 40_000),
  },
  {
    name: 'connections',
    everyMs: 2 * MINUTE_MS,
    act: (targets, random) => targets.breakLink(random, random() < 0.8 ? 'break' : 'black_hole'),
  },
];

/** Faults at random moments, from beginning to end. @param untilMs no fault begins later, ms after now */
export function scheduleFaults(
  names: readonly FaultName[],
  targets: FaultTargets,
  random: () => number,
  untilMs: number,
): void {
  for (const plan of PLANS) {
    if (!names.includes(plan.name)) continue;
    for (let atMs = pause(plan, random); atMs < untilMs; atMs += pause(plan, random)) {
      targets.after(atMs, () => {
        const words = plan.act(targets, random);
        if (words !== undefined) targets.note(plan.name, words);
      });
    }
  }
}

function pause({ everyMs }: FaultPlan, random: () => number): number {
  return -Math.log(1 - random()) * everyMs;
}

const THROTTLES: Readonly<Record<string, string>> = {
  DynamoDB_20120810: 'ThrottlingException',
  Kinesis_20131202: 'LimitExceededException',
};

/** What becomes of one AWS call. */
export function drawFate(isFaulty: boolean, service: string, random: () => number): CallFate {
  const latencyMs = 1 + random() * 8;
  if (!isFaulty) return { latencyMs };
  const drawn = random();
  if (drawn < 0.0005) return { latencyMs, lost: 'answer', isReset: random() < 0.5 };
  if (drawn < 0.0008) return { latencyMs, lost: 'request', isReset: random() < 0.5 };
  if (drawn < 0.0012) return { latencyMs, isTorn: true };
  if (drawn < 0.0025) return { latencyMs, refuse: { status: 500, type: 'InternalServerError' } };
  if (drawn < 0.004) {
    return {
      latencyMs,
      refuse: { status: 400, type: THROTTLES[service] ?? 'ThrottlingException' },
    };
  }
  return drawn < 0.006 ? { latencyMs: 50 + random() * 3_000 } : { latencyMs };
}
