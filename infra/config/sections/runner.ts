import * as v from 'valibot';
import { DEFAULT_PUT_MODE, PUT_MODES } from '../../../shared/env.ts';
import { TIME_OF_DAY } from '../../../shared/packing.ts';
import { acceptedText, count, cronField, isTimeZone, textLike } from './field-kinds.ts';

/** Fargate's sizes of up to 2 vCPU (runners are single-threaded): CPU units to memory, MiB. */
const FARGATE_MEMORY_MIB: Readonly<Record<number, readonly number[]>> = {
  256: [512, 1024, 2048],
  512: [1024, 2048, 3072, 4096],
  1024: [2048, 3072, 4096, 5120, 6144, 7168, 8192],
  2048: [4096, 5120, 6144, 7168, 8192],
};

interface FargateSize {
  readonly cpu: number;
  readonly memoryMiB: number;
}

/** Whether Fargate has a task of this size. */
export function isFargateSize({ cpu, memoryMiB }: FargateSize): boolean {
  return FARGATE_MEMORY_MIB[cpu]?.includes(memoryMiB) === true;
}

/** What may be said instead of a memory that Fargate does not have with these CPU units. */
export function memoryAllowed({ cpu }: Pick<FargateSize, 'cpu'>): string {
  return `allowed is ${FARGATE_MEMORY_MIB[cpu]?.join(', ')} with ${cpu} CPU units`;
}

const TIME_ZONE = acceptedText(isTimeZone, 'an IANA time zone, as in America/New_York');
const TIME = acceptedText((value) => TIME_OF_DAY.test(value), 'a time of day, 00:00 to 23:59');

const PREWARM = v.strictObject({
  /** Letters and digits; part of the scheduled action's name. */
  name: textLike(/^[A-Za-z0-9]+$/, 'letters and digits'),
  /** Cron fields; the rest is `*`. For example minute `50`, hour `7-17`, weekDay `MON-FRI`. */
  minute: acceptedText(cronField(0, 59), '0 to 59, as in 45, 0-30/10 or *'),
  hour: acceptedText(cronField(0, 23), '0 to 23, as in 7, 7-17 or *'),
  weekDay: acceptedText(
    cronField(1, 7, ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']),
    'SUN to SAT or 1 to 7, as in MON-FRI or *',
  ),
  /** IANA time zone of the fields. */
  timeZone: TIME_ZONE,
  /** Smallest number of tasks from then on, until the next entry. */
  minTasks: count,
});

const PACKING = v.pipe(
  v.strictObject({
    /** Time of day at which packing may begin and at which it ends; past midnight when `to` is earlier. */
    from: TIME,
    to: TIME,
    /** IANA time zone of both. */
    timeZone: TIME_ZONE,
    /** Packs only while less than this share of the fleet's slots is used. */
    belowPercent: v.optional(v.pipe(count, v.maxValue(50)), 30),
    /**
     * `audio`: only sessions that have audio alone, which lose nothing. `all`: the others too; each loses the
     * transcript, chat, video and share of the second or two in which nobody is connected.
     */
    sessions: v.optional(v.picklist(['audio', 'all']), 'audio'),
  }),
  v.forward(
    v.partialCheck(
      [['from'], ['to']],
      ({ from, to }) => from !== to,
      'allowed is another time than in from',
    ),
    ['to'],
  ),
);

const CATCHER = v.strictObject({
  /** Lambda gives CPU in proportion: 1 vCPU at 1,769. */
  memoryMiB: v.optional(v.pipe(count, v.minValue(1_024), v.maxValue(3_008)), 2_048),
  /** Slots of one execution. Further streams of a burst go to another one. */
  capacity: v.optional(count, 20),
  /** Executions that are kept for the catcher; it gets no more than these. Unset: it shares what the account has. */
  reservedConcurrency: v.optional(count),
});

/** The `runner` section: the Fargate tasks that hold the sessions. */
export const RUNNER = v.pipe(
  v.strictObject({
    cpu: v.optional(v.picklist([256, 512, 1024, 2048]), 1024),
    memoryMiB: v.optional(count, 2048),
    /**
     * Slots that a task can hold. `shared/session-table/slots.ts` weighs sessions: a meeting with all media takes 1;
     * audio, transcript and chat take 0.45. 30 slots use half a vCPU, which leaves the rest for bursts.
     */
    capacity: v.optional(count, 30),
    /**
     * One is enough to try things out; with two, one zone may fail. 0: no task runs while there is no meeting, and
     * `catcher` serves until one does.
     */
    minTasks: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 2),
    /** A Lambda function that serves streams which no task has claimed, until one has room. Unset: they wait for a task. */
    catcher: v.optional(CATCHER),
    maxTasks: v.optional(count, 20),
    /** Slots for a burst that finds nothing running: `minTasks` is raised to hold them. */
    headroomSlots: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0)), 10),
    prewarm: v.optional(v.array(PREWARM), []),
    /** Quiet hours in which tasks hand their sessions to fuller ones, so that some can be stopped. Unset: never. */
    packing: v.optional(PACKING),
    /** How PutRecords calls are made: by our own writer in CBOR or JSON, or by the SDK (docs/adr/0014). */
    putRecords: v.optional(v.picklist(PUT_MODES), DEFAULT_PUT_MODE),
    /** Disk for records that memory cannot hold while Kinesis is slow. */
    spoolGiB: v.optional(v.pipe(count, v.maxValue(150)), 15),
    /** Digest of the Node base image, `sha256:…`; unset: the tag in `runner/Dockerfile`. */
    baseImageDigest: v.optional(
      textLike(/^sha256:[0-9a-f]{64}$/, 'sha256: and 64 hexadecimal digits'),
    ),
    architecture: v.optional(v.picklist(['arm64', 'x86_64']), 'arm64'),
    /** A runner image that is already in a registry: the deployment then needs no Docker. */
    imageUri: v.optional(
      textLike(
        /^[^\s:/]+(\/[^\s:]+)+([:@][^\s]+)$/,
        'an image with a tag or digest, registry/name:tag',
      ),
    ),
  }),
  v.forward(
    v.partialCheck([['cpu'], ['memoryMiB']], isFargateSize, ({ input }) => memoryAllowed(input)),
    ['memoryMiB'],
  ),
  v.forward(
    v.partialCheck(
      [['minTasks'], ['maxTasks']],
      ({ minTasks, maxTasks }) => maxTasks >= minTasks,
      ({ input }) => `allowed is at least minTasks, ${input.minTasks}`,
    ),
    ['maxTasks'],
  ),
  v.forward(
    v.partialCheck(
      [['minTasks'], ['catcher']],
      ({ minTasks, catcher }) => minTasks > 0 || catcher !== undefined,
      'allowed is at least 1, or 0 with catcher: Zoom keeps 60 s of a meeting, and a task takes longer to start',
    ),
    ['minTasks'],
  ),
  v.forward(
    v.partialCheck(
      [['headroomSlots'], ['maxTasks'], ['capacity']],
      ({ headroomSlots, maxTasks, capacity }) => headroomSlots <= maxTasks * capacity,
      ({ input }) =>
        `allowed is at most the slots of maxTasks, ${Number(input.maxTasks) * Number(input.capacity)} (maxTasks × capacity)`,
    ),
    ['headroomSlots'],
  ),
  v.forward(
    v.partialCheck(
      [['prewarm'], ['maxTasks']],
      ({ prewarm, maxTasks }) => prewarm.every(({ minTasks }) => minTasks <= maxTasks),
      ({ input }) => `allowed as minTasks is at most maxTasks, ${input.maxTasks}`,
    ),
    ['prewarm'],
  ),
  v.forward(
    v.partialCheck(
      [['prewarm']],
      ({ prewarm }) => new Set(prewarm.map(({ name }) => name)).size === prewarm.length,
      'allowed is a different name in each entry',
    ),
    ['prewarm'],
  ),
  v.forward(
    v.partialCheck(
      [['imageUri'], ['baseImageDigest']],
      ({ imageUri, baseImageDigest }) => imageUri === undefined || baseImageDigest === undefined,
      'allowed only without imageUri, because a published image already has its base',
    ),
    ['baseImageDigest'],
  ),
);
