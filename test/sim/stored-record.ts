import { InternedTexts } from '../../shared/interned-texts.ts';
import { readMediaRecord } from '../../shared/record/decode-media-record.ts';
import { locateUserRecords } from '../../shared/record/kpl.ts';
import type { ServiceCall } from './aws/aws.ts';
import type { StoredEntry } from './aws/kinesis.ts';
import type { RecordEvent, WrittenUnit } from './history.ts';

const MEDIA_NAMES: Readonly<Record<number, 'audio' | 'video' | 'deskshare'>> = {
  1: 'audio',
  2: 'video',
  4: 'deskshare',
};
const known = new InternedTexts();
const sources = new Map<number, string>();

/** The event of a record that Kinesis has stored. What is in it is read when somebody asks: while a run goes on, nobody does. */
export class StoredRecord implements RecordEvent {
  readonly kind = 'record';
  step = 0;
  atMs = 0;
  readonly process: string;
  readonly stream: 'media' | 'events';
  readonly shard: string;
  readonly sequenceNumber: string;
  readonly partitionKey: string;
  readonly sentAtMs: number;
  readonly sentAtStep: number;
  readonly data: Buffer;
  told = false;
  #units: readonly WrittenUnit[] | undefined;

  constructor({ machine, sentAtMs, sentAtStep }: ServiceCall, entry: StoredEntry) {
    this.process = machine.name;
    this.stream = entry.stream;
    this.shard = entry.shard;
    this.sequenceNumber = entry.sequenceNumber;
    this.partitionKey = entry.partitionKey;
    this.sentAtMs = sentAtMs;
    this.sentAtStep = sentAtStep;
    this.data = entry.data;
  }

  get units(): readonly WrittenUnit[] {
    const { stream, data, partitionKey } = this;
    this.#units ??= stream === 'media' ? mediaUnits(data, partitionKey) : lineUnits(data);
    return this.#units;
  }

  /** Keys of the simulation's streams begin with their ids (shared/record/partition-key.ts). */
  get rtmsStreamId(): string {
    const end = this.partitionKey.indexOf('#');
    return end < 0 ? this.partitionKey : this.partitionKey.slice(0, end);
  }

  toJSON(): object {
    return { ...this, units: this.units };
  }
}

/** The name of a frame's source. The same few are asked for again and again. */
export function sourceName(id: {
  readonly userId?: number | undefined;
  readonly channelId?: string | undefined;
}): string {
  if (id.channelId !== undefined) return id.channelId;
  const userId = id.userId as number;
  let name = sources.get(userId);
  if (name === undefined) {
    name = String(userId);
    sources.set(userId, name);
  }
  return name;
}

function mediaUnits(data: Buffer, partitionKey: string): WrittenUnit[] {
  return locateUserRecords(data, partitionKey).map(({ start, end }) => {
    const record = readMediaRecord(data, start, end, known);
    const unit: WrittenUnit & { chunkIndex?: number; chunkCount?: number; recovered?: boolean } = {
      rtmsStreamId: record.rtmsStreamId,
      epoch: record.epoch,
      sequence: record.sequence,
      type: MEDIA_NAMES[record.mediaType] ?? String(record.mediaType),
      source: sourceName(record),
      capturedAtMs: record.capturedAtMs,
    };
    if (record.chunkCount > 1) {
      unit.chunkIndex = record.chunkIndex;
      unit.chunkCount = record.chunkCount;
    }
    if (record.recovered) unit.recovered = true;
    return unit;
  });
}

function lineUnits(data: Buffer): WrittenUnit[] {
  return data
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { subject, epoch, sequence, type, data: content } = JSON.parse(line);
      return {
        rtmsStreamId: subject,
        epoch,
        sequence,
        type: /^rtms\.(.+)\.v1$/.exec(type)?.[1] ?? type,
        data: content,
      };
    });
}
