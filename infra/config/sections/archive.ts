import * as v from 'valibot';
import { count, textLike } from './field-kinds.ts';
import { isFargateSize, memoryAllowed } from './runner.ts';

const days = v.pipe(count, v.maxValue(36_500));

const OBJECT_LOCK = v.strictObject({
  /**
   * `governance`: a role with the right to may delete all the same, and the archiver has it, for revocations.
   * `compliance`: nobody may, until the days are over.
   */
  mode: v.picklist(['governance', 'compliance']),
  /** How long every object is locked from when it was written. */
  days,
});

/** S3 moves nothing into this class earlier. */
const LEAST_DAYS_OF_IA = 30;

const TRANSITION = v.pipe(
  v.strictObject({
    afterDays: days,
    to: v.picklist(['STANDARD_IA', 'GLACIER_IR', 'GLACIER', 'DEEP_ARCHIVE']),
  }),
  v.forward(
    v.check(
      ({ afterDays, to }) => to !== 'STANDARD_IA' || afterDays >= LEAST_DAYS_OF_IA,
      `allowed with STANDARD_IA is ${LEAST_DAYS_OF_IA} and more: S3 moves nothing there earlier`,
    ),
    ['afterDays'],
  ),
);

/** `records.archive`: every session in S3 (docs/archive.md). */
export const ARCHIVE = v.pipe(
  v.strictObject({
    /** Folder of the bucket; unset: the whole bucket. */
    prefix: v.optional(textLike(/^[\w.-]+(\/[\w.-]+)*$/, 'folders as in recordings/zoom')),
    /** Tasks that share the shards. One of 1 vCPU has room for 200 meetings of audio and transcript, or 100 with all media. */
    tasks: v.optional(count, 1),
    cpu: v.optional(v.picklist([256, 512, 1024, 2048]), 1024),
    /** Half of it holds what is gathered and not written yet; beyond that reading pauses. */
    memoryMiB: v.optional(count, 4096),
    /** `meeting.mp4` of every session, with this picture, as `rtms export --layout` names it. */
    meetingFile: v.optional(v.picklist(['none', 'speaker', 'share', 'tracks']), 'none'),
    /** A session of which nothing came for this long is finalised without its end. */
    idleMinutes: v.optional(v.pipe(count, v.maxValue(10_080)), 60),
    /** What becomes of a session whose consent Zoom took back. `record`: only a record says that it is still there. */
    onRevocation: v.optional(v.picklist(['delete', 'record']), 'delete'),
    objectLock: v.optional(OBJECT_LOCK),
    /** Recordings are deleted this many days after they were written. Unset: never. */
    expireDays: v.optional(days),
    /** A cheaper storage class for recordings of that age. Unset: they stay in S3 Standard. */
    transition: v.optional(TRANSITION),
  }),
  v.forward(
    v.partialCheck(
      [['objectLock'], ['onRevocation']],
      ({ objectLock, onRevocation }) =>
        objectLock?.mode !== 'compliance' || onRevocation === 'record',
      'allowed with compliance is record alone: nobody can delete what Object Lock holds in compliance mode, not for a ' +
        'revocation either. Take governance, or say with onRevocation: record that recordings stay',
    ),
    ['onRevocation'],
  ),
  v.forward(
    v.partialCheck(
      [['expireDays'], ['transition']],
      ({ expireDays, transition }) =>
        expireDays === undefined || transition === undefined || expireDays > transition.afterDays,
      'allowed is more than transition.afterDays: S3 refuses a rule by which recordings move when they are deleted already',
    ),
    ['expireDays'],
  ),
  v.forward(
    v.partialCheck([['cpu'], ['memoryMiB']], isFargateSize, ({ input }) => memoryAllowed(input)),
    ['memoryMiB'],
  ),
);

/** What a caller may set of the archive; every key has a default. */
export type ArchiveInput = v.InferInput<typeof ARCHIVE>;
export type ArchiveConfig = v.InferOutput<typeof ARCHIVE>;
