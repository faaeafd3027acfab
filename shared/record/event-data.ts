import type { AgreedMedia, LeftOutMedia } from '../../rtms/protocol/agreed-media.ts';
import type { ChatFields } from '../../rtms/protocol/decode-text.ts';
import type { FrameMediaType, MediaSource, MediaType } from '../../rtms/protocol/media-type.ts';
import type { Product } from '../../rtms/protocol/product.ts';
import type { StartFacts } from '../zoom/start-facts.ts';
import type {
  HandOverCause,
  MissReason,
  RestartPlan,
  RestartStep,
  TakeoverCause,
} from './session-causes.ts';

/** A participant as chat and roster name one; each absent where Zoom gave none that could be read. */
export interface EventPerson {
  readonly userId?: number;
  readonly userName?: string;
}

/** Zoom's own words, present when not everything in them could be read. */
interface Unread {
  readonly raw?: unknown;
}

/** What the ledger counts: a media type, or one of the three kinds of lines of the `events` stream. */
export type LedgerMediaType = MediaType | 'events';

/**
 * One row of the ledger of an epoch: `received = written + lost`. Media rows name their source; the rows of
 * `transcript`, `chat` and `events` (all other lines) stand for every source. The row of `events` counts
 * the lines before the final one that carries the ledger.
 */
export interface LedgerRow extends MediaSource {
  readonly mediaType: LedgerMediaType;
  readonly received: number;
  readonly written: number;
  readonly lost: number;
}

/** `not_received`: Zoom did not send what was asked for; nobody knows how many, so `count` is 0. */
export type GapCause =
  | 'buffer_full'
  | 'spool_full'
  | 'write_failed'
  | 'malformed'
  | 'revoked'
  | 'not_received';

/**
 * A time in which the stream ran and no runner received this medium, and which Zoom does not send again to whoever
 * connects later. An outer bound, Unix ms.
 */
export interface BlindTime {
  readonly mediaType: MediaType;
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Zoom sends the audio that it has kept as soon as media flows, ms. So whoever was connected for so long, and got none, missed none;
 * and whoever was connected for less may have left before it came.
 */
export const KEPT_AUDIO_COMES_MS = 5_000;

/** Where the connection to Zoom broke. */
export type EventScope = 'signaling' | MediaType;

interface RosterChange extends Unread {
  readonly participants: readonly EventPerson[];
  readonly timestampMs: number;
}

interface PersonAct extends EventPerson, Unread {
  readonly timestampMs: number;
}

interface StateChange {
  readonly timestampMs: number;
}

interface Notice extends StateChange, Unread {}

interface ScopeEvent {
  readonly scope: EventScope;
  /** Only the connection of this participant's camera (protocol V2). */
  readonly userId?: number;
  readonly cause: string;
  readonly attempt: number;
  /** How long nothing may have been received of the scope; of `session_interrupted` 0 when it was noticed as it broke. */
  readonly durationMs: number;
}

/** The account of an epoch, in its last event. */
interface Ledger {
  /** All rows; with `ledgerPages` those of `transcript`, `chat` and `events` alone. */
  readonly ledger: readonly LedgerRow[];
  /** How many `session_ledger` events hold the other rows; absent when there are none. */
  readonly ledgerPages?: number;
}

/** An event of Zoom's about a start that brought no stream, as it came. */
interface StartNotice {
  readonly timestampMs: number;
  readonly operatorId?: string;
  /** The documented numbers that were present, by Zoom's field name. */
  readonly numbers?: Readonly<Record<string, number>>;
  /** The payload; absent when it was too long. */
  readonly raw?: unknown;
}

/** Zoom's account events that are recorded, and their names in the records. */
export const START_NOTICES = {
  'rtms.start_failed': 'start_failed',
  'rtms.request_status': 'request_status',
  'rtms.concurrency_limited': 'concurrency_limited',
} as const;

/**
 * `data` of every event, by the name inside `rtms.<name>.v1`. Times are Unix ms; what Zoom did not give is
 * absent.
 *
 * @see docs/records.md for the contract
 */
export interface EventData {
  transcript: MediaSource &
    Unread & {
      readonly text: string;
      readonly userName?: string;
      readonly language?: number;
      readonly languageName?: string;
      readonly startMs?: number;
      readonly endMs?: number;
      readonly timestampMs: number;
      readonly attribute?: number;
    };
  chat: Unread &
    ChatFields & {
      /** Zoom's name: `NEW`, `DELETE`, ...; the number in digits when this version does not know it. */
      readonly operation?: string;
      readonly sender?: EventPerson;
      readonly receiver?: EventPerson;
    };
  participant_joined: RosterChange;
  participant_left: RosterChange;
  participant_video_on: RosterChange;
  participant_video_off: RosterChange;
  active_speaker: PersonAct;
  sharing_started: PersonAct;
  sharing_stopped: Notice;
  voice: Unread & {
    readonly name: string;
    readonly participant?: Readonly<Record<string, string>>;
    readonly timestampMs: number;
  };
  first_packet: Notice;
  chat_group: { readonly name: string; readonly raw: unknown };
  session_state: Unread & {
    readonly rtmsSessionId: string;
    readonly state: number;
    readonly stopReason?: number;
    readonly timestampMs: number;
  };
  other: { readonly raw: unknown };
  session_started: StartFacts & {
    readonly product: Product;
    readonly entityId: string;
    readonly media: AgreedMedia;
    /** Wanted media types that do not flow, each with its reason; absent when all do. */
    readonly leftOut?: readonly LeftOutMedia[];
    /** The task that records it from here on; absent from older runners. */
    readonly owner?: string;
    readonly requestedAtMs: number;
    /** The same, as this run was claimed first; absent where it is the same, and from older runners. */
    readonly runRequestedAtMs?: number;
    readonly claimedAtMs: number;
    readonly streamingAtMs: number;
    /** The stream of the same meeting that Zoom ended before, up to 10 minutes ago, for a technical reason. */
    readonly continues?: { readonly rtmsStreamId: string };
  };
  /** Individual video: whose camera is recorded from now on; without a user id nobody's. */
  video_selected: EventPerson & {
    /** With several at once (protocol V2): all of them; the user id is then whose was granted last. */
    readonly cameras?: readonly EventPerson[];
    readonly follow: 'active-speaker' | 'pinned' | 'round-robin';
    readonly timestampMs: number;
  };
  session_paused: StateChange;
  session_resumed: StateChange;
  session_interrupted: ScopeEvent;
  session_reconnected: ScopeEvent & {
    /** Absent from runners older than this field: not known, not none. */
    readonly blind?: readonly BlindTime[];
  };
  /** Media rows of a ledger that is too long for the record that ends the epoch; all pages come before that. */
  session_ledger: {
    /** From 1. */
    readonly page: number;
    readonly pages: number;
    readonly ledger: readonly LedgerRow[];
  };
  session_handed_over: Ledger & { readonly cause: HandOverCause };
  session_taken_over: {
    readonly previousEpoch: number;
    readonly cause: TakeoverCause;
    /** The last moment at which the owner before is known to have been at work, Unix ms. */
    readonly ownerSeenAtMs?: number;
    /**
     * Everything that the owner before had received until then is in Kinesis, or told as lost, Unix ms by its clock. Absent where that is
     * not known, and from runners older than this field.
     */
    readonly ownerWroteUntilMs?: number;
    /** Absent from runners older than this field: not known, not none. */
    readonly blind?: readonly BlindTime[];
  };
  session_ended: Ledger & {
    /** Zoom's number, absent when Zoom gave none (its handshake was refused, or the connection was lost). */
    readonly stopReason?: number;
    readonly stopReasonName?: string;
    readonly restartable: boolean;
    /** What follows a restartable end; absent where nothing does, and from runners older than this field. */
    readonly restart?: RestartPlan;
    /**
     * When the owner knew of the end and began to close its sockets, Unix ms, or when Zoom had stopped the stream, if that was
     * before its claim. The event itself is written when Kinesis has all else. Absent from runners older than this field.
     */
    readonly leftAtMs?: number;
  };
  /** The only event of an epoch that has no session: Zoom was asked for an ended stream again, or will not be. */
  session_restart: {
    readonly outcome: RestartStep;
    /** Requests so far, in the 10 minutes after the first end. */
    readonly attempt: number;
    /** Why the stream had ended; absent where Zoom gave no reason. */
    readonly stopReason?: number;
    /** `refused` and `delayed`: what Zoom said, in a word of rtms/api/answer.ts; its HTTP status, error code and text. */
    readonly reason?: string;
    readonly status?: number;
    readonly code?: number;
    readonly text?: string;
    /** When the next request is due, Unix ms. */
    readonly nextAtMs?: number;
  };
  /** Instead of `session_started` and `session_ended`, for a run of a stream in which media never flowed. */
  session_missed: StartFacts &
    Ledger & {
      readonly product: Product;
      readonly entityId: string;
      readonly reason: MissReason;
      /** Zoom's handshake status, where that is why. */
      readonly status?: number;
      readonly stopReason?: number;
      readonly stopReasonName?: string;
      /** What follows; absent where nothing does. */
      readonly restart?: RestartPlan;
      /** When Zoom's webhook came. */
      readonly requestedAtMs: number;
      /** When a runner took it; absent when none did. */
      readonly claimedAtMs?: number;
    };
  start_failed: StartNotice;
  request_status: StartNotice;
  concurrency_limited: StartNotice;
  session_revoked: { readonly timestampMs: number };
  gap: MediaSource & {
    readonly mediaType: FrameMediaType | LedgerMediaType;
    /** Every number from here to there is lost; of lines: their `sequence` attribute. */
    readonly fromSequence: number;
    readonly toSequence: number;
    /** `toSequence - fromSequence + 1`. */
    readonly count: number;
    readonly bytes: number;
    readonly fromMs: number;
    readonly toMs: number;
    readonly cause: GapCause;
  };
}

/** Names of all events that this version knows; docs/records.md has what each of them holds. */
export type EventName = keyof EventData;
