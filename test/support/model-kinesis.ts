import type { PutEntry, PutRecordsClient } from '../../runner/kinesis/put-client.ts';
import type { DropCause, Receipt, Unit, UnitClass } from '../../runner/kinesis/unit.ts';
import { decodeAggregate } from '../../shared/record/kpl.ts';

/** What the model does to calls and entries; shares from 0 to 1. */
export interface ModelFaults {
  readonly entryFailures?: number;
  /** Call fails, nothing applied. */
  readonly lostCalls?: number;
  /** Applied, but the caller sees a timeout. */
  readonly lostAnswers?: number;
  /** The caller sees a timeout, and the call is applied long after. */
  readonly lateCalls?: number;
}

/** A client for tests of order and loss: keeps what landed, per partition key, in memory. */
export class ModelKinesis {
  /** User records as text, per key, duplicates included. */
  readonly landed = new Map<string, string[]>();
  faults: ModelFaults = {};
  /** Entries per call, for tests of packing. */
  readonly calls: number[] = [];
  readonly #random: () => number;
  #generation = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Calls under way and clients given out before neither answer nor land any more: their process is dead. */
  crash(): void {
    this.#generation += 1;
  }

  client(): Pick<PutRecordsClient, 'putRecords'> {
    const generation = this.#generation;
    return { putRecords: (_streamName, entries) => this.#put(entries, generation) };
  }

  async #put(given: readonly PutEntry[], generation: number) {
    // A real client has the bytes of a call on their way at once: their memory is used again.
    const entries = given.map(({ partitionKey, data }) => ({
      partitionKey,
      data: Buffer.from(data),
    }));
    this.calls.push(entries.length);
    const [fate, refusals] = [this.#random(), entries.map(() => this.#random())];
    const { lostCalls = 0, lostAnswers = 0, lateCalls = 0, entryFailures = 0 } = this.faults;
    await this.#wait(30 * this.#random(), generation);
    if (fate < lostCalls) throw timeout();
    const apply = () =>
      entries.map(({ partitionKey: key, data }, index) => {
        if ((refusals[index] as number) < entryFailures) return { ErrorCode: 'InternalFailure' };
        const list = this.landed.get(key) ?? [];
        this.landed.set(key, list);
        for (const record of decodeAggregate(data, key)) list.push(identity(record.data));
        return { SequenceNumber: '1', ShardId: 'shardId-000000000000' };
      });
    if (fate < lostCalls + lateCalls) {
      void this.#wait(500, generation).then(apply);
      throw timeout();
    }
    const results = apply();
    if (fate < lostCalls + lateCalls + lostAnswers) throw timeout();
    return results;
  }

  #wait(ms: number, generation: number): Promise<void> {
    return new Promise((resolve) => {
      setTimeout(() => {
        if (generation === this.#generation) resolve();
      }, ms);
    });
  }
}

function timeout(): Error {
  return Object.assign(new Error('no answer'), { name: 'TimeoutError' });
}

/** Keeps what became of every unit, and complains when one is told twice. */
export class Tally implements Receipt {
  readonly writtenNames: string[] = [];
  readonly droppedNames = new Map<string, DropCause>();
  readonly #told = new Set<string>();

  written(unit: Unit): void {
    this.#tell(unit);
    this.writtenNames.push(nameOf(unit));
  }

  dropped(unit: Unit, cause: DropCause): void {
    this.#tell(unit);
    this.droppedNames.set(nameOf(unit), cause);
  }

  #tell(unit: Unit): void {
    const name = nameOf(unit);
    if (this.#told.has(name)) throw new Error(`told twice of ${name}`);
    this.#told.add(name);
  }
}

/** `<sequence>/<chunk>;` then padding: what a landed record is recognised by. */
export function identity(record: Uint8Array): string {
  return Buffer.from(record).toString('latin1').split(';', 1)[0] as string;
}

const nameOf = ({ partitionKey, sequence }: Unit) => `${partitionKey}:${sequence}`;

export interface UnitShape {
  readonly key?: string;
  readonly class?: UnitClass;
  /** Of each record. */
  readonly bytes?: number;
  readonly chunks?: number;
}

export function makeUnit(sequence: number, receipt: Receipt, shape: UnitShape = {}): Unit {
  const { key = 'stream', bytes = 100, chunks = 1 } = shape;
  return {
    partitionKey: key,
    class: shape.class ?? 'audio',
    records: Array.from({ length: chunks }, (_, chunk) =>
      Buffer.from(`${sequence}/${chunk};`.padEnd(bytes, '.')),
    ),
    sequence,
    capturedAtMs: 1_700_000_000_000 + sequence * 20,
    payloadBytes: bytes * chunks,
    receipt,
  };
}
