import type { MediaFrame } from '../../../rtms/events.ts';
import type { FrameMediaType } from '../../../rtms/protocol/media-type.ts';
import type { ReadRest } from '../../../rtms/wire/wire.ts';
import type { CounterMetrics } from '../../../shared/metrics.ts';
import type { EventOrigin } from '../../../shared/record/event.ts';
import { partitionKeyOf } from '../../../shared/record/partition-key.ts';
import type { DropCause, Receipt, Unit } from '../../kinesis/unit.ts';
import { sourceOf } from './frame-record.ts';
import type { LedgerSource, SessionLedger } from './ledger.ts';
import { type FrameUnits, SourceWriter } from './source-writer.ts';

export interface SourceTableOptions {
  readonly origin: EventOrigin;
  /** Record limit of the media stream, partition key included. */
  readonly maxRecordBytes: number;
  readonly metrics: CounterMetrics;
  readonly rest: Pick<ReadRest, 'heldMs'>;
  readonly units: FrameUnits;
  readonly ledger: SessionLedger;
  readonly onLost: (row: LedgerSource, cause: DropCause, unit: Unit) => void;
}

/** The sources of one epoch's frames: a person, a channel or the whole meeting, for each media type. */
export class SourceTable {
  readonly #options: SourceTableOptions;
  /** By user id, a number, or channel id, a text. */
  readonly #sources: Record<FrameMediaType, Map<number | string, SourceWriter>> = {
    audio: new Map(),
    video: new Map(),
    deskshare: new Map(),
  };

  constructor(options: SourceTableOptions) {
    this.#options = options;
  }

  /** The writer of a frame's source, made at its first frame. @returns undefined for a source too many */
  of(frame: MediaFrame): SourceWriter | undefined {
    const sources = this.#sources[frame.mediaType];
    const from = frame.channelId ?? frame.userId ?? 0;
    const known = sources.get(from);
    if (known !== undefined) return known;
    const row = this.#options.ledger.source(frame.mediaType, sourceOf(frame));
    if (row.isUnnamed) return undefined;
    const source = this.#writerOf(row, frame);
    sources.set(from, source);
    return source;
  }

  #writerOf(row: LedgerSource, frame: MediaFrame): SourceWriter {
    const { origin, maxRecordBytes, metrics, rest, units } = this.#options;
    return new SourceWriter({
      origin,
      row,
      partitionKey: partitionKeyOf(origin.rtmsStreamId, frame),
      maxRecordBytes,
      rest,
      units,
      receipt: this.#receipt(row),
      framesIn: metrics.counter('FramesIn', frame.mediaType),
      bytesIn: metrics.counter('BytesIn', frame.mediaType),
    });
  }

  /** Counts in the row what became of each of its frames. */
  #receipt(row: LedgerSource): Receipt {
    const { ledger, metrics, units, onLost } = this.#options;
    const framesOut = metrics.counter('FramesOut', row.mediaType);
    const bytesOut = metrics.counter('BytesOut', row.mediaType);
    return {
      written: (unit) => {
        framesOut.add(1);
        bytesOut.add(unit.payloadBytes);
        ledger.written(row);
        units.release(unit);
      },
      dropped: (unit, cause) => onLost(row, cause, unit),
    };
  }
}
