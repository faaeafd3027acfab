import type { DropCause } from './unit.ts';

/** What a producer holds now, and what it has done since it started. */
export interface ProducerStats {
  /** Memory of units that wait for Kinesis or for the disk. */
  readonly bufferedBytes: number;
  /** Age of the oldest unit in memory, ms; 0 when there is none. */
  readonly oldestAgeMs: number;
  readonly spoolBytes: number;
  /** Age of the oldest unit on the disk by Zoom's clock, ms; 0 when there is none. */
  readonly spoolAgeMs: number;
  readonly lanes: number;
  readonly callsInFlight: number;
  /** Acknowledged since the start; `bytes` as Kinesis counts them. */
  readonly units: number;
  readonly userRecords: number;
  readonly records: number;
  readonly bytes: number;
  readonly putUnits: number;
  /** Entries that had to be sent again, throttled ones included. */
  readonly retries: number;
  readonly throttles: number;
  readonly dropped: Readonly<Record<DropCause, number>>;
}
