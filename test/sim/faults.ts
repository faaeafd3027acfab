import { seededRandom } from '../../shared/seeded-random.ts';
import type { CallFate } from './aws/aws.ts';
import type { Targets } from './targets.ts';
import { drawOffset, type Machine, type ProcessClock, seedOf } from './world/machine.ts';

export const FAULTS = [
  'kill',
  'kill_catcher',
  'kill_successor',
  'restart',
  'freeze',
  'stop',
  'deploy',
  'scale_in',
  'aws',
  'kinesis',
  'index',
  'queue',
  'connections',
  'dials',
  'zoom',
  'webhooks',
  'revoke',
  'secret',
  'shards',
  'disk',
  'cut_off',
  'slow_table',
  'freeze_in_call',
  'thaw_race',
  'late_handshake',
  'slow_restart',
  'spool',
  'operator',
  'stop_meets_start',
  'late_loop',
  'memory',
  'clocks',
  'kill_after_lapse',
  'clock_jumps',
  'small_spool',
] as const;
export type FaultName = (typeof FAULTS)[number];

/** Faults that are there from beginning to end, and not at moments. */
type Lasting = 'aws' | 'clocks' | 'small_spool';

interface FaultPlan {
  /** Mean time from one to the next, minutes. */
  readonly everyMinutes: number;
  /** @returns what was done, in words; undefined when there was nothing to do it to */
  act(targets: Targets, random: () => number): string | undefined;
}

/** From 0 to `most`, small ones more often. */
const skewed = (random: () => number, most: number) => random() ** 2 * most;

const PLANS: Readonly<Record<Exclude<FaultName, Lasting>, FaultPlan>> = {
  kill: {
    everyMinutes: 20,
    act: (targets, random) =>
      random() < 0.5 ? targets.kill(random) : targets.killAtEffect(random, random() * 40),
  },
  kill_catcher: { everyMinutes: 20, act: (targets, random) => targets.killCatcher(random) },
  kill_successor: {
    everyMinutes: 30,
    act: (targets, random) => targets.killSuccessor(random, Math.floor(skewed(random, 60))),
  },
  restart: {
    everyMinutes: 25,
    act: (targets, random) => targets.restart(random, 2_000 + skewed(random, 60_000)),
  },
  freeze: {
    everyMinutes: 10,
    act: (targets, random) => targets.freeze(random, 500 + skewed(random, 60_000)),
  },
  stop: { everyMinutes: 20, act: (targets, random) => targets.stop(random) },
  deploy: { everyMinutes: 30, act: (targets) => targets.deploy() },
  scale_in: { everyMinutes: 25, act: (targets, random) => targets.scaleIn(random) },
  kinesis: {
    everyMinutes: 20,
    act: (targets, random) => targets.kinesisOutage(2_000 + skewed(random, 240_000)),
  },
  index: {
    everyMinutes: 10,
    act: (targets, random) => targets.indexLag(skewed(random, 5_000), random() * 120_000),
  },
  queue: { everyMinutes: 10, act: (targets, random) => targets.doubledMessages(random() * 60_000) },
  connections: {
    everyMinutes: 2,
    act: (targets, random) => targets.breakLink(random, random() < 0.8 ? 'break' : 'silence'),
  },
  dials: {
    everyMinutes: 10,
    act: (targets, random) =>
      targets.dials(random() < 0.5 ? 'refused' : 'silent', skewed(random, 60_000)),
  },
  zoom: { everyMinutes: 3, act: ({ zoomActs }, random) => zoomActs.any(random) },
  webhooks: { everyMinutes: 5, act: ({ zoomActs }, random) => zoomActs.webhooks(random) },
  revoke: { everyMinutes: 25, act: ({ zoomActs }, random) => zoomActs.revoke(random) },
  secret: {
    everyMinutes: 40,
    act: (targets, random) => targets.rotateSecret(skewed(random, 5_000)),
  },
  shards: { everyMinutes: 20, act: (targets, random) => targets.splitShard(random) },
  disk: {
    everyMinutes: 15,
    act: (targets, random) => targets.disk(random, random() < 0.5, skewed(random, 180_000)),
  },
  cut_off: {
    everyMinutes: 20,
    act: ({ races }, random) =>
      races.cutOff(random, random() < 0.7 ? 'request' : 'answer', 3_000 + skewed(random, 50_000)),
  },
  slow_table: {
    everyMinutes: 20,
    act: ({ races }, random) =>
      races.slowTable(random, random() * 900, random() < 0.7 ? 8_000 + random() * 17_000 : 0),
  },
  freeze_in_call: {
    everyMinutes: 15,
    act: ({ races }, random) =>
      races.freezeInCall(random, random() < 0.6 ? 'signing' : 'claim', 8_000 + random() * 17_000),
  },
  thaw_race: {
    everyMinutes: 20,
    act: ({ races }, random) =>
      races.thawRace(random, random() < 0.5 ? 1 : 2, 100 + random() * 600),
  },
  late_handshake: {
    everyMinutes: 20,
    act: ({ races }, random) => races.lateHandshake(random, skewed(random, 500)),
  },
  slow_restart: {
    everyMinutes: 30,
    act: ({ zoomActs }, random) => zoomActs.slowRestart(random, 100 + random() * 500),
  },
  spool: {
    everyMinutes: 40,
    act: ({ races }, random) => races.spool(random, 80_000 + random() * 160_000),
  },
  operator: {
    everyMinutes: 20,
    act: ({ operators }, random) => operators.ask(random, random() < 0.7 ? 'handover' : 'stop'),
  },
  stop_meets_start: {
    everyMinutes: 40,
    act: ({ operators }, random) => operators.stopMeetsStart(random),
  },
  late_loop: {
    everyMinutes: 20,
    act: ({ strain }, random) =>
      strain.lateLoop(random, 50 + skewed(random, 1_500), 120_000 * random()),
  },
  kill_after_lapse: { everyMinutes: 25, act: ({ races }, random) => races.killAfterLapse(random) },
  memory: {
    everyMinutes: 30,
    act: ({ strain }, random) => strain.memory(random, skewed(random, 240_000)),
  },
  clock_jumps: { everyMinutes: 20, act: ({ strain }, random) => strain.setClock(random) },
};

/**
 * Faults at random moments, from beginning to end. Each has a random sequence of its own, so that those that are left out
 * change nothing about the others.
 *
 * @param untilMs no fault begins later, ms after now
 * @param rate how often, 1 being as the plans have it
 * @param skipped numbers of faults that are left out
 * @returns how many there are
 */
export function scheduleFaults(
  seed: number,
  names: readonly FaultName[],
  targets: Targets,
  untilMs: number,
  rate: number,
  skipped: ReadonlySet<number>,
): number {
  let number = 0;
  for (const [name, plan] of Object.entries(PLANS)) {
    const moments = seededRandom(seedOf(seed, `fault-${name}`));
    const pause = () => (-Math.log(1 - moments()) * plan.everyMinutes * 60_000) / rate;
    for (let atMs = pause(); atMs < untilMs; atMs += pause()) {
      if (!names.includes(name as FaultName)) continue;
      const own = number++;
      if (skipped.has(own)) continue;
      const random = seededRandom(seedOf(seed, `fault-${name}-${atMs}`));
      targets.after(60_000 + atMs, () => {
        const words = plan.act(targets, random);
        if (words !== undefined) targets.note(name, words);
      });
    }
  }
  return number;
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
    const type = THROTTLES[service] ?? 'ThrottlingException';
    return { latencyMs, refuse: { status: 400, type } };
  }
  return drawn < 0.006 ? { latencyMs: 50 + random() * 3_000 } : { latencyMs };
}

/** What becomes of it where the process itself has no good way to the table. */
export function fateAt({ table }: Machine, service: string, fate: CallFate): CallFate {
  if (service !== 'DynamoDB_20120810') return fate;
  if (table.lost !== undefined) return { latencyMs: fate.latencyMs, lost: table.lost };
  return table.lateMs === 0 ? fate : { ...fate, latencyMs: fate.latencyMs + table.lateMs };
}

/** A clock that is off from the beginning, and drifts by up to 200 parts in a million. */
export function drawClock(random: () => number): ProcessClock {
  return { offsetMs: drawOffset(random), drift: (random() - 0.5) * 4e-4 };
}
