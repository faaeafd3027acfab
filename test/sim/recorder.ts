import { createHash } from 'node:crypto';
import { decodeMediaRecord } from '../../shared/record/decode-media-record.ts';
import { locateUserRecords } from '../../shared/record/kpl.ts';
import type { NotSentReason, SentSourceId } from '../../simulator/sent-ledger.ts';
import type { Simulator, SimulatorEvent } from '../../simulator/simulator.ts';
import type { ServiceCall } from './aws/aws.ts';
import type { AppliedRow } from './aws/dynamodb.ts';
import type { StoredEntry } from './aws/kinesis.ts';
import type { FrameEvent, HistoryEvent, RecordEvent, SocketEvent, WrittenUnit } from './history.ts';
import type { Link } from './net/link.ts';
import type { Scheduler } from './world/scheduler.ts';

type Body<Event> = Event extends HistoryEvent ? Omit<Event, 'step' | 'atMs'> : never;

const MEDIA_NAMES: Readonly<Record<number, 'audio' | 'video' | 'deskshare'>> = {
  1: 'audio',
  2: 'video',
  4: 'deskshare',
};

/** Writes the history of a run, and the hash that two runs of one seed must share. */
export class Recorder {
  readonly history: HistoryEvent[] = [];
  readonly #scheduler: Scheduler;
  readonly #hash = createHash('sha256');
  readonly #roles = new Map<number, 'signaling' | 'media'>();
  readonly #untold = new Map<number, { told: boolean }[]>();
  #step = 0;
  frames = 0;
  written = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** The step of the newest event. */
  get step(): number {
    return this.#step;
  }

  add(event: Body<HistoryEvent>): HistoryEvent {
    this.#step += 1;
    const whole = { ...event, step: this.#step, atMs: this.#scheduler.nowMs } as HistoryEvent;
    this.history.push(whole);
    return whole;
  }

  frame(
    rtmsStreamId: string,
    id: SentSourceId,
    capturedAtMs: number,
    notSent?: NotSentReason,
  ): void {
    this.frames += 1;
    this.add({
      kind: 'frame',
      rtmsStreamId,
      mediaType: id.mediaType as FrameEvent['mediaType'],
      source: String(id.channelId ?? id.userId),
      capturedAtMs,
      ...(notSent !== undefined && { notSent }),
    });
  }

  socket(
    link: Link,
    what: SocketEvent['what'],
    lostMessages = 0,
    role?: SocketEvent['role'],
  ): void {
    if (role) this.#roles.set(link.id, role);
    this.add({
      kind: 'socket',
      socket: link.id,
      process: link.client.machine.name,
      rtmsStreamId: link.rtmsStreamId,
      role: this.#roles.get(link.id) ?? 'media',
      what,
      ...(lostMessages > 0 && { lostMessages }),
    });
  }

  /** A stream of the simulator has started or stopped. */
  zoom(
    event: Exclude<SimulatorEvent, { kind: 'webhook' }>,
    simulator: Simulator | undefined,
  ): void {
    const { rtmsStreamId } = event;
    const info = simulator?.streams().find((one) => one.rtmsStreamId === rtmsStreamId);
    const entityId = info?.entityId ?? '';
    const what = event.kind === 'stream_started' ? 'started' : 'stopped';
    this.add({ kind: 'stream', rtmsStreamId, entityId, what });
  }

  row(call: ServiceCall, what: AppliedRow): void {
    const { machine, id } = call;
    this.add({ kind: 'row', process: machine.name, call: id, phase: 'applied', ...what });
    if (what.op !== 'read' && what.met) this.#count(`${what.row} ${JSON.stringify(what.after)}`);
  }

  stored(call: ServiceCall, entries: readonly StoredEntry[]): void {
    const told: { told: boolean }[] = [];
    for (const { data, ...place } of entries) {
      const units =
        place.stream === 'media' ? mediaUnits(data, place.partitionKey) : lineUnits(data);
      this.written += units.length;
      this.#count(`${place.stream} ${place.shard} ${place.sequenceNumber} ${place.partitionKey}`);
      this.#hash.update(data);
      const { sentAtMs, sentAtStep, machine } = call;
      const event = {
        kind: 'record',
        process: machine.name,
        ...place,
        sentAtMs,
        sentAtStep,
        units,
        told: false,
      } as const;
      told.push(this.add(event) as RecordEvent & { told: boolean });
    }
    this.#untold.set(call.id, told);
  }

  /** A call's answer has reached its process, or its failure. */
  answered(call: ServiceCall, outcome: 'answered' | 'failed'): void {
    if (outcome === 'answered')
      for (const event of this.#untold.get(call.id) ?? []) event.told = true;
    this.#untold.delete(call.id);
  }

  hash(): string {
    return this.#hash.copy().update(`${this.#scheduler.nowMs}`).digest('hex');
  }

  #count(text: string): void {
    this.#hash.update(`${this.#scheduler.nowMs} ${text}\n`);
  }
}

function mediaUnits(data: Buffer, partitionKey: string): WrittenUnit[] {
  return locateUserRecords(data, partitionKey).map(({ start, end }) => {
    const record = decodeMediaRecord(data.subarray(start, end));
    return {
      rtmsStreamId: record.rtmsStreamId,
      epoch: record.epoch,
      sequence: record.sequence,
      type: MEDIA_NAMES[record.mediaType] ?? String(record.mediaType),
      source: String(record.channelId ?? record.userId),
      capturedAtMs: record.capturedAtMs,
      ...(record.chunkCount > 1 && {
        chunkIndex: record.chunkIndex,
        chunkCount: record.chunkCount,
      }),
      ...(record.recovered && { recovered: true }),
    };
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
