import type { FrameEvent, HistoryEvent, RecordEvent, RowCommand, WrittenUnit } from '../history.ts';
import { type Item, meets, updated } from './expressions.ts';

type Without<Event> = Omit<Event, 'step' | 'atMs' | 'kind'>;

/** A history that a test writes by hand: steps number themselves, and time goes on by `at`. */
export class PlantedHistory {
  readonly events: HistoryEvent[] = [];
  readonly #rows = new Map<string, Item | undefined>();
  #atMs = 1_000_000;
  #calls = 0;

  /** Lets time pass, ms. */
  wait(ms: number): this {
    this.#atMs += ms;
    return this;
  }

  get step(): number {
    return this.events.length;
  }

  get nowMs(): number {
    return this.#atMs;
  }

  row(pk: string): Item | undefined {
    return this.#rows.get(pk);
  }

  add<Event extends HistoryEvent>(kind: Event['kind'], event: Without<Event>): this {
    const stamp = { step: this.events.length + 1, atMs: this.#atMs };
    this.events.push({ ...stamp, kind, ...event } as unknown as HistoryEvent);
    return this;
  }

  /** A write that is invoked; `apply` and `answer` are its other two moments. */
  write(process: string, row: string, command: RowCommand) {
    this.#calls += 1;
    const of = { process, row, call: this.#calls, op: 'write' } as const;
    this.add('row', { ...of, phase: 'invoked', command });
    let told: { met: boolean; image: Item | undefined } | undefined;
    const call = {
      apply: (broken: { readonly anyway?: boolean } = {}) => {
        const before = this.#rows.get(row);
        const met = broken.anyway === true || meets(before, command.condition, command);
        const after = met ? updated(before ?? { pk: row }, command.update ?? '', command) : before;
        this.#rows.set(row, after);
        told = { met, image: met ? after : undefined };
        this.add('row', { ...of, phase: 'applied', met, before, after });
        return call;
      },
      answer: (as: { readonly met?: boolean } = {}) => {
        const { met, image } = { met: true, image: undefined, ...told, ...as };
        this.add('row', { ...of, phase: 'answered', met, image });
        return call;
      },
      fail: () => {
        this.add('row', { ...of, phase: 'failed', error: 'TimeoutError' });
        return call;
      },
    };
    return call;
  }

  /** A whole read. @param image what it is said to have read; by default what stands there */
  read(process: string, row: string, as: { image?: Item | undefined; stale?: boolean } = {}): this {
    this.#calls += 1;
    const { stale = false } = as;
    const of = { process, row, call: this.#calls, op: 'read', stale } as const;
    const image = 'image' in as ? as.image : this.#rows.get(row);
    this.add('row', { ...of, phase: 'invoked' });
    if (!stale) this.add('row', { ...of, phase: 'applied', image: this.#rows.get(row) });
    return this.add('row', { ...of, phase: 'answered', image });
  }

  /** The row of a stream is claimed, whoever had it. */
  claim(process: string, stream: string, more: Item = {}): this {
    const pk = `SESSION#${stream}`;
    const epoch = Number(this.#rows.get(pk)?.['epoch'] ?? 0) + 1;
    const fields = { owner: process, epoch, ...more };
    const names = Object.fromEntries(Object.keys(fields).map((name) => [`#${name}`, name]));
    const values = Object.fromEntries(Object.entries(fields).map(([name, it]) => [`:${name}`, it]));
    const sets = Object.keys(fields).map((name) => `#${name} = :${name}`);
    this.write(process, pk, { update: `SET ${sets.join(', ')}`, names, values })
      .apply()
      .answer();
    return this;
  }

  frame(frame: Partial<FrameEvent> & { readonly capturedAtMs: number }): this {
    const one = { rtmsStreamId: 's', mediaType: 'audio', source: '7', socket: 1 } as const;
    return this.add('frame', { ...one, ...frame });
  }

  /** One Kinesis record of these units. */
  record(
    process: string,
    units: readonly Partial<WrittenUnit>[],
    as: Partial<RecordEvent> = {},
  ): this {
    const unit = { rtmsStreamId: 's', epoch: 1, sequence: 1, type: 'audio', source: '7' };
    const sent = { sentAtMs: this.#atMs, sentAtStep: this.step, told: true };
    const place = { stream: 'media', shard: 'shard-0', partitionKey: 's' } as const;
    const record = { process, ...place, sequenceNumber: String(this.step), ...sent };
    const written = units.map((one) => ({ ...unit, ...one }));
    return this.add('record', { ...record, units: written, ...as });
  }
}
