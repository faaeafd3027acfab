import * as v from 'valibot';
import { ARCHIVE } from './archive.ts';
import { count } from './field-kinds.ts';

const CAPACITY = v.variant('mode', [
  v.strictObject({
    mode: v.literal('on-demand'),
    /**
     * The account has On-Demand Advantage switched on (docs/deploy.md): at least 60 % less per GB, no price per
     * stream, and a commitment to 25 MiB/s in and out for the whole account.
     */
    advantage: v.optional(v.boolean(), false),
    /**
     * With `advantage`: MiB/s that the media stream takes from the first second. Unset: 4 MB/s, which Kinesis doubles
     * over tens of minutes.
     */
    warmMiBps: v.optional(count),
  }),
  v.strictObject({
    mode: v.literal('provisioned'),
    /** Concurrent meetings at the peak; the shard counts follow from this and `zoom.media`. */
    meetings: count,
    /** Share of each shard to fill on average: keys are placed by hash, so some shards get more. */
    shardLoad: v.optional(v.pipe(v.number(), v.minValue(0.1), v.maxValue(0.8)), 0.4),
  }),
]);

/** Longer than the longest meeting: the archiver reads a recording back when its session has ended. */
const LONGEST_MEETING_HOURS = 48;

/** From these classes S3 hands out nothing that was not restored before. */
const IS_COLD: ReadonlySet<string> = new Set(['GLACIER', 'DEEP_ARCHIVE']);

/** The `records` section: the two Kinesis streams. */
export const RECORDS = v.pipe(
  v.strictObject({
    capacity: v.optional(CAPACITY, { mode: 'on-demand' }),
    retentionHours: v.optional(
      v.pipe(v.number(), v.integer(), v.minValue(24), v.maxValue(8760)),
      24,
    ),
    /** Every session in S3. Unset: none is archived. */
    archive: v.optional(ARCHIVE),
  }),
  v.forward(
    v.partialCheck(
      [['capacity']],
      ({ capacity }) =>
        capacity.mode !== 'on-demand' || capacity.warmMiBps === undefined || capacity.advantage,
      'allowed only with advantage: true; Kinesis offers warm throughput to such accounts alone',
    ),
    ['capacity', 'warmMiBps'],
  ),
  v.forward(
    v.partialCheck(
      [['retentionHours'], ['archive']],
      ({ retentionHours, archive }) => {
        const { to = '', afterDays = 0 } = archive?.transition ?? {};
        return !IS_COLD.has(to) || afterDays * 24 >= retentionHours + LONGEST_MEETING_HOURS;
      },
      `allowed with GLACIER and DEEP_ARCHIVE is afterDays of retentionHours and ${LONGEST_MEETING_HOURS} hours more: the archiver joins what comes ` +
        'late or twice to what is there, and could not read it any more',
    ),
    ['archive', 'transition'],
  ),
);
