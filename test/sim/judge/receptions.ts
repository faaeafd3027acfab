import { isRestartable, STOP_REASON } from '../../../rtms/protocol/stop-reason.ts';
import type { BlindTime } from '../../../shared/record/event-data.ts';
import { RESTARTS, UNOWNED } from '../../../shared/session-table/session-row.ts';
import type { HistoryEvent, RowEvent, WrittenUnit } from '../history.ts';

/** How far apart the clocks of two processes may be, and what lies between a connection and its first frame. */
export const CLOCKS_MS = 2_000;
/** Zoom keeps nothing of this media type for whoever connects later. All streams of the simulation ask for it. */
const NOT_KEPT = 'transcript';
const SIGNALING = 'signaling';

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Epoch {
  readonly epoch: number;
  readonly process: string;
  readonly fromMs: number;
}

/** Faults in which Kinesis takes nothing, and the most for which it does so at a time. */
export const OUTAGES: ReadonlySet<string> = new Set(['kinesis', 'spool']);
export const LONGEST_OUTAGE_MS = 250_000;
/** The events that carry the account of their epoch. */
const LAST_EVENTS: ReadonlySet<string> = new Set(['session_handed_over', 'session_ended']);

export interface Moment {
  readonly atMs: number;
  readonly step: number;
}

/** What the history holds of one stream. */
export interface Reception {
  /** Of all sockets for media, from the dial to the end. */
  readonly connected: Map<number, { fromMs: number; toMs: number }>;
  /** When frames were captured that show that the stream ran, with the step at which they were. */
  readonly ran: Moment[];
  /** The audio among them that Zoom threw away. */
  readonly audioDropped: Moment[];
  readonly named: Span[];
  readonly claims: Epoch[];
  /** When its row came to rest because an operator wanted it, and until when; also what came of a claim behind such an end. */
  readonly stoppedOnPurpose: { readonly fromMs: number; toMs: number; isClaim?: true }[];
  /**
   * By epoch, what a record says to be interrupted, and none to be back: signaling, or the media type that Zoom does not keep. That
   * another one is back says nothing about these.
   */
  readonly interrupted: Map<number, Set<string>>;
  /** Since when lines of an epoch are lost, of which no later one says that a connection came back: one may have told an interruption. */
  readonly linesLostFromMs: Map<number, number>;
  /** When the newest line of each epoch was written. */
  readonly lineAtMs: Map<number, number>;
  readonly accounted: Set<number>;
  /** Until when `session_taken_over` of an epoch names the time before it; it may be written before media flows. */
  readonly takenOverToMs: Map<number, number>;
  receivedFromMs: number;
  isMissed: boolean;
  /** When Zoom stopped it; when an owner ended it without a reason of Zoom's. What comes then is no owner's any more. */
  stoppedAtMs: number;
  leftAtMs: number;
}

export interface Receptions {
  readonly streams: ReadonlyMap<string, Reception>;
  /** When processes died, by name. */
  readonly deaths: ReadonlyMap<string, number>;
  readonly outages: readonly number[];
  /** When processes stood still, by name. */
  readonly standstills: ReadonlyMap<string, readonly Span[]>;
}

export function receptionsOf(history: readonly HistoryEvent[]): Receptions {
  const streams = new Map<string, Reception>();
  const deaths = new Map<string, number>();
  const outages: number[] = [];
  const standstills = new Map<string, { fromMs: number; toMs: number }[]>();
  for (const event of history) {
    note(event, streams);
    if (event.kind === 'process') noteStandstill(event, standstills);
    if (event.kind === 'fault' && OUTAGES.has(event.fault)) outages.push(event.atMs);
    if (event.kind === 'process' && ['killed', 'crashed'].includes(event.what))
      deaths.set(event.process, event.atMs);
  }
  return { streams, deaths, outages, standstills };
}

function noteStandstill(
  { process, what, atMs }: Extract<HistoryEvent, { kind: 'process' }>,
  standstills: Map<string, { fromMs: number; toMs: number }[]>,
): void {
  const spans = standstills.get(process) ?? [];
  if (what === 'frozen') {
    standstills.set(process, [...spans, { fromMs: atMs, toMs: Number.POSITIVE_INFINITY }]);
  }
  const last = spans.at(-1);
  if (what === 'thawed' && last !== undefined) last.toMs = atMs;
}

function note(event: HistoryEvent, streams: Map<string, Reception>): void {
  switch (event.kind) {
    case 'socket': {
      if (event.role !== 'media') return;
      const { connected } = streamOf(event.rtmsStreamId, streams);
      const toMs = Number.POSITIVE_INFINITY;
      if (event.what === 'dialled') {
        connected.set(event.socket, { fromMs: event.atMs, toMs });
        // An owner that was cut off goes on dialling for a while, whatever became of the stream.
        const isOwner =
          streamOf(event.rtmsStreamId, streams).claims.at(-1)?.process === event.process;
        if (isOwner) endPurpose(streamOf(event.rtmsStreamId, streams), event.atMs);
      }
      const span = connected.get(event.socket);
      const isOver = event.what === 'broken' || event.what === 'ended';
      if (span !== undefined && isOver) span.toMs = Math.min(span.toMs, event.atMs);
      return;
    }
    case 'frame': {
      const stream = streamOf(event.rtmsStreamId, streams);
      const moment = { atMs: event.capturedAtMs, step: event.step };
      stream.ran.push(moment);
      if (event.mediaType === 'audio' && event.notSent !== undefined && event.notSent !== 'paused')
        stream.audioDropped.push(moment);
      if (event.notSent === undefined)
        stream.receivedFromMs = Math.min(stream.receivedFromMs, event.atMs);
      return;
    }
    case 'stream':
      if (event.what === 'stopped') streamOf(event.rtmsStreamId, streams).stoppedAtMs = event.atMs;
      return;
    case 'row': {
      if (event.phase !== 'applied' || event.met !== true) return;
      notePurpose(event, streams);
      const [before, epoch] = [event.before, event.after].map((row) => Number(row?.['epoch'] ?? 0));
      if (epoch === undefined || epoch === before) return;
      // Whoever asks Zoom for another stream raises the epoch, and serves this one not: it stays as its last owner left it.
      if (event.after?.['owner'] === RESTARTS) return;
      const rtmsStreamId = event.row.slice(event.row.indexOf('#') + 1);
      const { stoppedOnPurpose } = streamOf(rtmsStreamId, streams);
      const ended = event.before?.['endedReason'];
      if (typeof ended === 'number' && !isRestartable(ended)) {
        const toMs = Number.POSITIVE_INFINITY;
        stoppedOnPurpose.push({ fromMs: event.atMs, toMs, isClaim: true });
      }
      streamOf(rtmsStreamId, streams).claims.push({
        epoch,
        process: event.process,
        fromMs: event.atMs,
      });
      return;
    }
    case 'record':
      for (const unit of event.units) {
        const stream = streamOf(unit.rtmsStreamId, streams);
        noteUnit(unit, stream);
        if (event.stream === 'events') stream.lineAtMs.set(unit.epoch, event.sentAtMs);
      }
      return;
    default:
  }
}

/**
 * A stream that an operator has stopped is recorded by nobody, also where Zoom has not heard of the stop and streams on. That
 * begins when its owner begins to leave it, which the row says only when the last event is written.
 */
function notePurpose(
  { row, before, after, atMs }: RowEvent,
  streams: Map<string, Reception>,
): void {
  const { stoppedOnPurpose } = streamOf(row.slice(row.indexOf('#') + 1), streams);
  const last = stoppedOnPurpose.at(-1);
  const isStopped = after?.['endedReason'] === STOP_REASON.RECEIVER_REQUEST_CLOSE;
  const owner = after?.['owner'];
  // Where Zoom moved the stream meanwhile, the row asks for an owner at once: for another run, which says when it was asked for.
  const isAtRest = owner === undefined || owner === UNOWNED;
  const toMs = isStopped && isAtRest ? Number.POSITIVE_INFINITY : atMs;
  if (isStopped && after['endedAtMs'] !== before?.['endedAtMs']) {
    stoppedOnPurpose.push({ fromMs: Number(after['endedAtMs']), toMs });
  } else if (last?.toMs === Number.POSITIVE_INFINITY && toMs === atMs) last.toMs = atMs;
}

function endPurpose({ stoppedOnPurpose }: Reception, atMs: number): void {
  const last = stoppedOnPurpose.at(-1);
  if (last?.toMs === Number.POSITIVE_INFINITY) last.toMs = atMs;
}

function noteUnit({ type, epoch, data = {} }: WrittenUnit, stream: Reception): void {
  const { blind } = data;
  if (Array.isArray(blind)) {
    const own = (blind as BlindTime[]).filter(({ mediaType }) => mediaType === NOT_KEPT);
    stream.named.push(...own);
    const [first] = own;
    if (type === 'session_taken_over' && first) stream.takenOverToMs.set(epoch, first.toMs);
  }
  // As readers have it: the time that a change of owner names goes on until media flows.
  const toldToMs = stream.takenOverToMs.get(epoch);
  const goesOnMs = data[type === 'session_started' ? 'streamingAtMs' : 'leftAtMs'];
  if (toldToMs !== undefined && goesOnMs !== undefined) {
    // Until the stream ends, if media never flows.
    stream.named.push({ fromMs: toldToMs, toMs: Number(goesOnMs) });
    stream.takenOverToMs.delete(epoch);
  }
  if (type === 'session_missed') stream.isMissed = true;
  if (LAST_EVENTS.has(type)) stream.accounted.add(epoch);
  const scope = String(data['scope'] ?? SIGNALING);
  const isOfTranscript = scope === SIGNALING || scope === NOT_KEPT;
  if (type === 'session_interrupted' && isOfTranscript) interrupt(epoch, scope, stream);
  // Without a reason of Zoom's: the connection was lost, and nobody records the stream for as long as it goes on.
  if (type === 'session_ended' && data['stopReason'] === undefined) {
    interrupt(epoch, SIGNALING, stream);
    stream.leftAtMs = Number(data['leftAtMs'] ?? Number.POSITIVE_INFINITY);
  }
  if (type === 'session_reconnected' && isOfTranscript) {
    // Signaling takes every media connection along: one that does not come back with it is told right behind.
    if (scope === SIGNALING) stream.interrupted.delete(epoch);
    else stream.interrupted.get(epoch)?.delete(scope);
    stream.linesLostFromMs.delete(epoch);
  }
  // A line that says so may itself be lost, which then stands in the records.
  if (type === 'gap' && data['mediaType'] === 'events') {
    const fromMs = Number(data['fromMs']);
    stream.named.push({ fromMs, toMs: Number(data['toMs']) });
    const before = stream.linesLostFromMs.get(epoch) ?? fromMs;
    stream.linesLostFromMs.set(epoch, Math.min(before, fromMs));
  }
}

function interrupt(epoch: number, scope: string, { interrupted }: Reception): void {
  interrupted.set(epoch, (interrupted.get(epoch) ?? new Set()).add(scope));
}

function streamOf(rtmsStreamId: string, streams: Map<string, Reception>): Reception {
  const known = streams.get(rtmsStreamId);
  if (known !== undefined) return known;
  const stream: Reception = {
    connected: new Map(),
    ran: [],
    audioDropped: [],
    named: [],
    claims: [],
    stoppedOnPurpose: [],
    interrupted: new Map(),
    linesLostFromMs: new Map(),
    lineAtMs: new Map(),
    accounted: new Set(),
    takenOverToMs: new Map(),
    receivedFromMs: Number.POSITIVE_INFINITY,
    isMissed: false,
    stoppedAtMs: Number.POSITIVE_INFINITY,
    leftAtMs: Number.POSITIVE_INFINITY,
  };
  streams.set(rtmsStreamId, stream);
  return stream;
}
