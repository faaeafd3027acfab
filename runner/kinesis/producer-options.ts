import type { BackoffPolicy } from '../../shared/backoff.ts';
import { PUT_UNIT_BYTES } from '../../shared/kinesis-rules.ts';
import type { Logger } from '../../shared/logger.ts';
import type { MemoryPool } from '../../shared/memory-pool.ts';
import type { Metrics } from '../../shared/metrics.ts';
import type { FlushPolicies, FlushPolicy } from './lane.ts';
import type { MemoryLimits } from './pressure.ts';
import type { PutRecordsClient } from './put-client.ts';
import type { Spool } from './spool/spool.ts';

export interface ProducerOptions {
  /** Used by this producer alone. */
  readonly client: Pick<PutRecordsClient, 'putRecords'>;
  readonly streamName: string;
  /** true: records of any bytes, in KPL aggregates. false: lines that end with a newline, one after the other. */
  readonly aggregate: boolean;
  /** Used by this producer alone. @default none: what memory cannot hold is dropped */
  readonly spool?: Spool;
  /** Where the memory of packed records comes from. @default a pool of its own */
  readonly pool?: MemoryPool;
  /** @default DEFAULT_MEMORY_LIMITS */
  readonly memory?: Partial<MemoryLimits>;
  /**
   * @default 190 ms or just under one PUT unit; with `aggregate: false` at once, with
   *   what came while the record before was on its way
   */
  readonly flush?: Partial<FlushPolicies>;
  /** @default 100 ms, doubled up to 5 s */
  readonly retry?: BackoffPolicy;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
  /** Uniform in [0, 1). @default Math.random */
  readonly random?: () => number;
}

/** How long a failed record waits: from 100 ms, doubled up to 5 s. */
export const DEFAULT_RETRY: BackoffPolicy = { baseMs: 100, maxMs: 5_000 };

const AGGREGATED: FlushPolicy = { targetBytes: PUT_UNIT_BYTES - 1, lingerMs: 190 };
/**
 * A line waits only while the line before it is on its way. Eight PUT units in one record cost what their lines would
 * cost in eight, and with one record a round trip, thousands of lines a second get through.
 */
const AT_ONCE: FlushPolicy = { targetBytes: 8 * PUT_UNIT_BYTES - 1, lingerMs: 0 };

/** The policy of each class of units: the default of the record format, unless `flush` names another. */
export function flushPolicies({ aggregate, flush }: ProducerOptions): FlushPolicies {
  const policy = aggregate ? AGGREGATED : AT_ONCE;
  return {
    video: policy,
    deskshare: policy,
    audio: policy,
    crowd: policy,
    text: policy,
    event: policy,
    ...flush,
  };
}
