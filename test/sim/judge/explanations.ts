import { STOP_REASON } from '../../../rtms/protocol/stop-reason.ts';
import type { BlindTime } from '../../../shared/record/event-data.ts';
import type { HistoryEvent, WrittenUnit } from '../history.ts';
import { claimsOf, type EpochClaim } from './claims.ts';

/** A frame that was sent this long before its socket ended may have been on its way still. */
const IN_FLIGHT_MS = 500;
/** The same before Zoom's stop, of a connection that broke, and where the process may have been frozen meanwhile. */
const LATE_MS = 5_000;
/** A message is that long on its way, and waits for the next read of media sockets: a connection that goes silent meanwhile swallows it. */
const ON_ITS_WAY_MS = 10;
/** How far apart two clocks of one run may be, when a runner names a time that Zoom's clock is compared with. */
const CLOCKS_MS = 2_000;

/** The events that carry the ledger of their epoch. */
const LAST_EVENTS: ReadonlySet<string> = new Set(['session_handed_over', 'session_ended']);

interface Span {
  readonly mediaType: string;
  readonly source?: string;
  readonly fromMs: number;
  readonly toMs: number;
}

interface GapSpan extends Span {
  readonly cause: string;
}

interface Socket {
  readonly process: string;
  readonly dialledAtMs: number;
  endedAtMs: number;
  isBroken: boolean;
  /** Nothing that is sent from then on is received. */
  silentFromMs: number;
}

/** A frame or a line that Zoom sent. */
export interface Sent {
  readonly rtmsStreamId: string;
  readonly mediaType: string;
  readonly source: string;
  readonly capturedAtMs: number;
  readonly atMs: number;
  readonly step: number;
  readonly socket?: number;
}

/** What the records of a run, and the faults of its world, say of frames of one stream that were not written. */
interface StreamStory {
  readonly gaps: GapSpan[];
  readonly blind: Span[];
  /** Epochs with a last event. */
  readonly accounted: Set<number>;
  /** When media flowed to the owner of each epoch, Unix ms by its clock. */
  readonly streaming: Map<number, number>;
  readonly stopReasons: number[];
  /** When Zoom held back what it sent into the media connections of that time. */
  readonly stalls: { readonly fromMs: number; readonly toMs: number }[];
  stoppedAtMs: number;
}

/** The words of a fault by which Zoom holds its media back. */
const STALL = /"do":"stall_media","durationMs":(\d+)\} to (\w+)$/;

/**
 * Why a frame that Zoom has sent is in no record. Each way out is bound to what really happened: a gap with the cause
 * `revoked` explains nothing where Zoom has revoked nothing.
 */
export class Explanations {
  readonly #streams = new Map<string, StreamStory>();
  readonly #sockets = new Map<number, Socket>();
  readonly #dead = new Set<string>();
  /** Steps at which a process was frozen, or lost its way to the table. */
  readonly #lapses = new Map<string, number[]>();
  readonly #claims: ReadonlyMap<string, readonly EpochClaim[]>;

  constructor(history: readonly HistoryEvent[]) {
    this.#claims = claimsOf(history);
    for (const event of history) {
      if (event.kind === 'record') for (const unit of event.units) this.#unit(unit);
      if (event.kind === 'process' && ['killed', 'crashed'].includes(event.what)) {
        this.#dead.add(event.process);
      }
      if (event.kind === 'fault') this.#stall(event);
      if ((event.kind === 'process' && event.what === 'frozen') || event.kind === 'fault') {
        const { process = '', step } = event;
        this.#lapses.set(process, [...(this.#lapses.get(process) ?? []), step]);
      }
      if (event.kind === 'stream' && event.what === 'stopped') {
        const story = this.#story(event.rtmsStreamId);
        story.stopReasons.push(event.stopReason ?? 0);
        story.stoppedAtMs = event.atMs;
      }
      if (event.kind === 'socket') this.#socket(event);
    }
  }

  /** @returns in a word why a frame was not written; undefined where nothing explains it */
  of(frame: Sent): string | undefined {
    const { gaps, blind, stopReasons, stoppedAtMs } = this.#story(frame.rtmsStreamId);
    const gap = gaps.find((span) => covers(span, frame));
    if (gap !== undefined) {
      const isRevoked = stopReasons.includes(STOP_REASON.STREAM_REVOKED);
      return gap.cause === 'revoked' && !isRevoked ? undefined : gap.cause;
    }
    if (blind.some((span) => covers(span, frame))) return 'blind';
    const socket = this.#sockets.get(frame.socket ?? -1);
    if (socket !== undefined && this.#isSwallowed(frame, socket)) return 'lost_on_its_way';
    // No earlier: what a dead connection swallowed right before a blind time is no part of it, also where clocks differ.
    if (blind.some((span) => covers(span, frame, CLOCKS_MS))) return 'blind';
    if (socket === undefined) return undefined;
    const isLate = socket.isBroken || this.#lapses.has(socket.process);
    const inFlightMs = isLate ? LATE_MS : IN_FLIGHT_MS;
    if (socket.endedAtMs - frame.atMs <= inFlightMs) return 'in_flight';
    if (stoppedAtMs - frame.atMs <= LATE_MS) return 'stopped';
    return this.#lostItsOwner(frame, socket.process) ? 'owner_lost' : undefined;
  }

  /**
   * Did the process that received the frame lose the stream, by its death or to another process, without a last event? The
   * last event of an epoch has the account of all that it received: whatever is not written has to be named then.
   *
   * The frame may have been sent after the claim of the next owner, since Zoom sends to the sockets of an owner that is frozen
   * until they are gone, and lets nobody else in before. Readers find it as the boundary of two epochs without audio. It ends
   * when media flows to the next owner. A process that claims its own stream again has lost it only if it was cut off meanwhile.
   */
  #lostItsOwner({ rtmsStreamId, step, atMs }: Sent, process: string): boolean {
    const claims = this.#claims.get(rtmsStreamId) ?? [];
    const at = claims.findLastIndex((claim) => claim.process === process && claim.step <= step);
    const claim = claims[at];
    const { accounted, streaming } = this.#story(rtmsStreamId);
    if (claim === undefined || accounted.has(claim.epoch)) return false;
    if (this.#dead.has(process)) return true;
    const next = claims[at + 1];
    if (next === undefined) return false;
    const lapses = this.#lapses.get(process) ?? [];
    const isOwn = next.process === process;
    if (isOwn && !lapses.some((lapse) => claim.step < lapse && lapse < next.step)) return false;
    const flowing = claims.slice(at + 1).map(({ epoch }) => streaming.get(epoch));
    const flowsAtMs = flowing.find((fromMs) => fromMs !== undefined) ?? Number.POSITIVE_INFINITY;
    return atMs <= flowsAtMs + CLOCKS_MS;
  }

  #isSwallowed(frame: Sent, socket: Socket): boolean {
    return frame.atMs >= socket.silentFromMs - ON_ITS_WAY_MS || this.#wasHeldBack(frame, socket);
  }

  /** Zoom holds media back for some seconds; what it still holds when its connection ends, or goes silent, never arrives. */
  #wasHeldBack({ rtmsStreamId, atMs }: Sent, socket: Socket): boolean {
    const { dialledAtMs, endedAtMs, silentFromMs } = socket;
    const goneAtMs = Math.min(endedAtMs, silentFromMs);
    return this.#story(rtmsStreamId).stalls.some(
      ({ fromMs, toMs }) =>
        dialledAtMs <= fromMs && fromMs <= atMs && atMs <= toMs && goneAtMs <= toMs,
    );
  }

  #stall({ words, atMs }: Extract<HistoryEvent, { kind: 'fault' }>): void {
    const [, durationMs, rtmsStreamId] = STALL.exec(words) ?? [];
    if (rtmsStreamId === undefined) return;
    const { stalls } = this.#story(rtmsStreamId);
    // One that begins within another one ends with it.
    if (atMs <= (stalls.at(-1)?.toMs ?? 0)) return;
    stalls.push({ fromMs: atMs, toMs: atMs + Number(durationMs) });
  }

  #unit({ rtmsStreamId, epoch, type, data }: WrittenUnit): void {
    const story = this.#story(rtmsStreamId);
    if (LAST_EVENTS.has(type)) story.accounted.add(epoch);
    if (data === undefined) return;
    if (type === 'session_started') story.streaming.set(epoch, Number(data['streamingAtMs']));
    if (type === 'gap') {
      const { mediaType, userId, channelId, fromMs, toMs, cause } = data;
      const source = channelId ?? userId;
      const span = { mediaType: String(mediaType), fromMs: Number(fromMs), toMs: Number(toMs) };
      const named = source === undefined ? span : { ...span, source: String(source) };
      story.gaps.push({ ...named, cause: String(cause) });
    }
    const blind = data['blind'];
    if (Array.isArray(blind)) story.blind.push(...(blind as BlindTime[]));
  }

  #socket(event: Extract<HistoryEvent, { kind: 'socket' }>): void {
    const { socket, process, what, atMs } = event;
    const never = Number.POSITIVE_INFINITY;
    const found = this.#sockets.get(socket) ?? {
      process,
      dialledAtMs: atMs,
      endedAtMs: never,
      isBroken: false,
      silentFromMs: never,
    };
    this.#sockets.set(socket, found);
    if (what === 'black_hole') found.silentFromMs = Math.min(found.silentFromMs, atMs);
    if (what === 'broken') found.isBroken = true;
    if (what === 'broken' || what === 'ended') found.endedAtMs = Math.min(found.endedAtMs, atMs);
  }

  #story(rtmsStreamId: string): StreamStory {
    let story = this.#streams.get(rtmsStreamId);
    if (story === undefined) {
      const stoppedAtMs = Number.POSITIVE_INFINITY;
      const none = { accounted: new Set<number>(), streaming: new Map<number, number>() };
      story = { gaps: [], blind: [], stopReasons: [], stalls: [], stoppedAtMs, ...none };
      this.#streams.set(rtmsStreamId, story);
    }
    return story;
  }
}

function covers(span: Span, frame: Sent, marginMs = 0): boolean {
  const { mediaType, source, capturedAtMs } = frame;
  if (span.mediaType !== mediaType) return false;
  if (span.source !== undefined && span.source !== source) return false;
  return span.fromMs - marginMs <= capturedAtMs && capturedAtMs <= span.toMs + marginMs;
}
