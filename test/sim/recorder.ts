import type { NotSentReason, SentSourceId } from '../../simulator/sent-ledger.ts';
import type { SimulatorEvent } from '../../simulator/simulator.ts';
import type { ServiceCall } from './aws/aws.ts';
import { type AppliedRow, commandOf, rowOf } from './aws/dynamodb.ts';
import type { StoredEntry } from './aws/kinesis.ts';
import { FrameLog } from './frame-log.ts';
import type { HistoryEvent, RowEvent, RowImage, SocketEvent } from './history.ts';
import { HistoryHash } from './history-hash.ts';
import { isHeartbeat } from './judge/leases.ts';
import type { Link } from './net/link.ts';
import { StoredRecord } from './stored-record.ts';
import type { Scheduler } from './world/scheduler.ts';

type Body<Event> = Event extends HistoryEvent ? Omit<Event, 'step' | 'atMs'> : never;

const SESSION = 'SESSION#';

/** The events of one stream, and whether it is over. */
export interface StreamHistory {
  readonly events: HistoryEvent[];
  readonly frames: FrameLog;
  stoppedAtMs: number | undefined;
}

/**
 * Writes the history of a run, and the hash that two runs of one seed must share. The events of each stream are kept
 * apart, so that a stream can be judged when it is over, and its events let go.
 */
export class Recorder {
  /** What is of no stream, and what every judge needs: processes, faults, streams, and writes to rows. */
  readonly common: HistoryEvent[] = [];
  readonly streams = new Map<string, StreamHistory>();
  /** Of `common`, what the judges of one stream need. */
  readonly around: HistoryEvent[] = [];
  /** Of `common`, the writes of each process to its own heartbeat. */
  readonly heartbeats = new Map<string, RowEvent[]>();
  /** Streams that were judged and let go, and what came of them all the same. */
  readonly judged = new Set<string>();
  readonly late: HistoryEvent[] = [];
  /** A stream whose events are told as they happen, with those of processes and faults. */
  watched: string | undefined;
  onWatched: ((event: HistoryEvent) => void) | undefined;
  /** Faults that wait for a moment in the history. */
  readonly listeners = new Set<(event: HistoryEvent) => void>();
  readonly #scheduler: Scheduler;
  readonly #hash = new HistoryHash();
  readonly #roles = new Map<number, 'signaling' | 'media'>();
  readonly #untold = new Map<number, readonly StoredRecord[]>();
  readonly #applied = new Map<number, AppliedRow>();
  /** What each process has read of a row by the index last: the same once more says nothing new. */
  readonly #lastRead = new Map<string, Map<string, RowImage>>();
  readonly #lastStream = new Map<string, string>();
  #step = 0;
  frames = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  add(event: Body<HistoryEvent>): HistoryEvent {
    this.#step += 1;
    const whole = event as HistoryEvent & { step: number; atMs: number };
    whole.step = this.#step;
    whole.atMs = this.#scheduler.nowMs;
    const stream = streamOf(whole);
    const isAround = event.kind === 'process' || event.kind === 'fault';
    if (isAround) this.around.push(whole);
    if (isHeartbeat(whole)) this.#heartbeatsOf(whole.process).push(whole);
    if (isAround || stream === this.watched) this.onWatched?.(whole);
    for (const listener of this.listeners) listener(whole);
    if (stream === undefined) this.common.push(whole);
    else if (this.judged.has(stream)) this.late.push(whole);
    else {
      this.#stream(stream).events.push(whole);
      if (isForAll(whole)) this.common.push(whole);
    }
    return whole;
  }

  frame(
    rtmsStreamId: string,
    id: SentSourceId,
    capturedAtMs: number,
    how: { socket: number | undefined } | { notSent: NotSentReason },
  ): void {
    this.frames += 1;
    // The few that somebody waits for are told as they happen.
    if (rtmsStreamId === this.watched || this.judged.has(rtmsStreamId)) {
      const log = new FrameLog();
      log.add(0, 0, id, capturedAtMs, how);
      for (const event of log.events(rtmsStreamId)) this.add(event);
      return;
    }
    this.#step += 1;
    const { frames } = this.#stream(rtmsStreamId);
    frames.add(this.#step, this.#scheduler.nowMs, id, capturedAtMs, how);
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
    if (what === 'ended' || what === 'broken') this.#roles.delete(link.id);
  }

  /** A stream of the simulator has started or stopped. */
  zoom(event: Exclude<SimulatorEvent, { kind: 'webhook' }>): void {
    const { kind, rtmsStreamId, entityId } = event;
    const stream = { kind: 'stream', rtmsStreamId, entityId } as const;
    if (kind === 'stream_started') {
      const continues = this.#lastStream.get(entityId);
      this.#lastStream.set(entityId, rtmsStreamId);
      this.add({ ...stream, what: 'started', ...(continues !== undefined && { continues }) });
    } else {
      const { stopReason } = event;
      this.add({ ...stream, what: 'stopped', ...(stopReason !== undefined && { stopReason }) });
      this.#stream(rtmsStreamId).stoppedAtMs = this.#scheduler.nowMs;
    }
  }

  /** A call leaves a process. */
  sent(call: ServiceCall): void {
    const { operation, input, machine, id } = call;
    const op = ROW_OPERATIONS[operation];
    if (op === undefined) return;
    const command = op === 'read' ? undefined : { command: commandOf(input) };
    const row = rowOf(input);
    this.add({
      kind: 'row',
      process: machine.name,
      call: id,
      row,
      op,
      phase: 'invoked',
      ...command,
    });
  }

  row(call: ServiceCall, what: AppliedRow): void {
    const { machine, id } = call;
    const { row, image } = what;
    if (what.stale === true) {
      const rows = this.#lastRead.get(machine.name) ?? new Map<string, RowImage>();
      if (rows.get(row) === image) return;
      this.#lastRead.set(machine.name, rows.set(row, image));
      this.add({ kind: 'row', process: machine.name, call: id, phase: 'answered', ...what });
      return;
    }
    this.#applied.set(id, what);
    this.add({ kind: 'row', process: machine.name, call: id, phase: 'applied', ...what });
    if (what.op !== 'read' && what.met) this.#count(`${row} ${JSON.stringify(what.after)}`);
  }

  stored(call: ServiceCall, entries: readonly StoredEntry[]): void {
    const told = entries.map((entry) => {
      const { stream, shard, sequenceNumber, partitionKey, data } = entry;
      this.#count(`${stream} ${shard} ${sequenceNumber} ${partitionKey}`);
      this.#hash.add(data);
      const record = new StoredRecord(call, entry);
      this.add(record);
      return record;
    });
    this.#untold.set(call.id, told);
  }

  /** The step of the newest event. */
  get step(): number {
    return this.#step;
  }

  /** A call's answer has reached its process, or its failure. */
  heard(call: ServiceCall, outcome: 'answered' | 'failed', error?: string): void {
    const { id, machine, operation, input } = call;
    if (outcome === 'answered') for (const event of this.#untold.get(id) ?? []) event.told = true;
    this.#untold.delete(id);
    const op = ROW_OPERATIONS[operation];
    if (op === undefined) return;
    const applied = this.#applied.get(id);
    this.#applied.delete(id);
    const known = { kind: 'row', process: machine.name, call: id, row: rowOf(input), op } as const;
    const isAnswer = outcome === 'answered' || /ConditionalCheckFailed/.test(error ?? '');
    if (!isAnswer || applied === undefined) {
      this.add({ ...known, phase: 'failed', error: error ?? 'unknown' });
      return;
    }
    const { met, image, after } = applied;
    const seen =
      op === 'read' ? image : input['ReturnValues'] === 'ALL_NEW' && met ? after : undefined;
    this.add({
      ...known,
      phase: 'answered',
      ...(met !== undefined && { met }),
      ...(seen !== undefined && { image: seen }),
    });
  }

  hash(): string {
    return this.#hash.digest(`${this.#scheduler.nowMs}`);
  }

  #stream(rtmsStreamId: string): StreamHistory {
    let stream = this.streams.get(rtmsStreamId);
    if (stream === undefined) {
      stream = { events: [], frames: new FrameLog(), stoppedAtMs: undefined };
      this.streams.set(rtmsStreamId, stream);
    }
    return stream;
  }

  #heartbeatsOf(process: string): RowEvent[] {
    const found = this.heartbeats.get(process) ?? [];
    if (found.length === 0) this.heartbeats.set(process, found);
    return found;
  }

  #count(text: string): void {
    this.#hash.add(`${this.#scheduler.nowMs} ${text}\n`);
  }
}

const ROW_OPERATIONS: Readonly<Record<string, 'read' | 'write' | 'delete'>> = {
  GetItem: 'read',
  UpdateItem: 'write',
  DeleteItem: 'delete',
};

function streamOf(event: HistoryEvent): string | undefined {
  switch (event.kind) {
    case 'row':
      return event.row.startsWith(SESSION) ? event.row.slice(SESSION.length) : undefined;
    case 'record':
      return (event as StoredRecord).rtmsStreamId;
    case 'frame':
    case 'line':
    case 'socket':
    case 'stream':
    case 'webhook':
      return event.rtmsStreamId;
    default:
      return undefined;
  }
}

/** Does a judge of all streams together need it? */
function isForAll(event: HistoryEvent): boolean {
  if (event.kind === 'stream' || event.kind === 'webhook') return true;
  return event.kind === 'row' && event.phase === 'applied' && event.met === true;
}
