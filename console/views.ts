/**
 * What the server tells the page, as JSON. Times are Unix ms, and what is not known is absent. Texts of people come as they
 * are: the page shows them as text and never as markup.
 */

/** What the list and the page of a meeting both say. */
interface MeetingFacts {
  readonly rtmsStreamId: string;
  /** Topic, number or id of the meeting, whichever says most. */
  readonly name: string;
  readonly product?: string | undefined;
  /** As `rtms sessions` says it; `seen` where only the events tell of the meeting. */
  readonly state: string;
  readonly owner?: string | undefined;
  /** From capture at Zoom to arrival in Kinesis, of its newest media, ms. */
  readonly lagMs?: number | undefined;
}

/** One meeting in the list: what the session table says, and what was read of it. */
export interface MeetingSummary extends MeetingFacts {
  readonly epoch?: number | undefined;
  readonly requestedAtMs?: number | undefined;
  readonly lines: number;
  readonly participants: number;
  /** An operator has asked for this. */
  readonly request?: string | undefined;
  readonly outcome?: MeetingOutcome | undefined;
}

export type MeetingOutcome = 'whole' | 'in part' | 'missed';

export interface OwnerSummary {
  readonly taskId: string;
  readonly kind: 'runner' | 'catcher';
  readonly slotsUsed: number;
  readonly slotsTotal: number;
  readonly draining: boolean;
  readonly strained: boolean;
  /** Since the console saw the heartbeat change, ms. */
  readonly silentMs: number;
  readonly sessions: number;
  readonly revision?: string | undefined;
  /** Local stack only. */
  readonly pid?: number | undefined;
  readonly frozen?: boolean | undefined;
}

export interface StreamSummary {
  readonly name: string;
  readonly kind: 'media' | 'events';
  readonly shards: number;
  readonly bytesPerSecond: number;
  readonly recordsPerSecond: number;
  /** PUT payload units a second: each record in chunks of 25 KB, rounded up. */
  readonly unitsPerSecond: number;
  /** Reads of this console that Kinesis refused for throughput. */
  readonly readThrottles: number;
  /** Records that writers could not put for throughput. Only the local Kinesis tells; in AWS CloudWatch does. */
  readonly writeThrottles?: number | undefined;
  readonly badRecords: number;
  /** How far behind the newest record this console is, ms. */
  readonly behindMs?: number | undefined;
  /** `push` by enhanced fan-out, `poll` by GetRecords, `idle` while nobody looks, `failed` with a problem. */
  readonly reading: 'push' | 'poll' | 'idle' | 'failed';
}

export interface OutcomeCounts {
  /** Since when events were read, Unix ms. */
  readonly sinceMs: number;
  readonly wanted: number;
  readonly whole: number;
  readonly inPart: number;
  readonly missed: number;
}

export interface Sparkline {
  readonly name: string;
  readonly unit: string;
  /** One value for each step, the oldest first; null where nothing was read. */
  readonly values: readonly (number | null)[];
}

export interface OverviewView {
  readonly atMs: number;
  readonly meetings: readonly MeetingSummary[];
  /** Meetings that are not in the list, because it is too long. */
  readonly moreMeetings: number;
  readonly owners: readonly OwnerSummary[];
  readonly streams: readonly StreamSummary[];
  readonly outcomes: OutcomeCounts;
  readonly sparklines: readonly Sparkline[];
  readonly stepMs: number;
  /** What cannot be read or known, one sentence each. A missing right names its action. */
  readonly problems: readonly string[];
}

/** A line of transcript or chat. */
export interface LineView {
  /** Grows by one with every line of the meeting that was read. */
  readonly number: number;
  readonly kind: 'transcript' | 'chat';
  readonly atMs: number;
  readonly who: string;
  readonly userId?: number | undefined;
  readonly text: string;
  /** `NEW` and `undefined` are the usual ones; `DELETE`, `UPDATE` and others are said. */
  readonly operation?: string | undefined;
}

export type MomentTone = 'plain' | 'good' | 'warn' | 'bad' | 'takeover';

/** A moment in the life of the meeting. */
export interface MomentView {
  readonly number: number;
  readonly atMs: number;
  readonly name: string;
  readonly tone: MomentTone;
  readonly text: string;
  readonly epoch: number;
  /** A time that something was lacking, where the event names one. */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
}

export interface PersonView {
  readonly userId: number;
  readonly name: string;
  readonly present: boolean;
  readonly video: boolean;
}

/** The account of one source. */
export interface SourceView {
  readonly key: string;
  readonly mediaType: string;
  readonly who: string;
  readonly codec: string;
  readonly epoch: number;
  /** Frames that this console has read. */
  readonly frames: number;
  readonly bytes: number;
  /** Numbers that were skipped between two frames that were read, and that no gap event explains. */
  readonly unexplained: number;
  /** What gap events name. */
  readonly lost: number;
  /** The ledger of the newest epoch that has left one. */
  readonly ledger?: { readonly received: number; readonly written: number; readonly lost: number };
  readonly lastAtMs?: number | undefined;
}

export interface MeetingDetail extends MeetingFacts {
  readonly epoch: number;
  readonly startedAtMs?: number | undefined;
  readonly endedAtMs?: number | undefined;
  /** Nothing of it may be shown or kept any more. */
  readonly revoked: boolean;
  readonly speaker?: string | undefined;
  readonly people: readonly PersonView[];
  readonly peopleTotal: number;
  readonly peoplePresent: number;
  readonly sources: readonly SourceView[];
}

/** One frame for the browser's decoders. */
export interface FrameView {
  readonly mediaType: 'audio' | 'video' | 'deskshare';
  readonly source: string;
  readonly who: string;
  readonly codec: string;
  readonly capturedAtMs: number;
  /** Can be decoded without the ones before. */
  readonly key: boolean;
  readonly sampleRateHz?: number | undefined;
  readonly channels?: number | undefined;
  /** Loudness, dB below full scale; absent where only the browser can decode. */
  readonly level?: number | undefined;
  /** Base64; absent where only the level is wanted. */
  readonly data?: string | undefined;
}

/** What a page may ask for with `--act`. */
export interface ActionView {
  readonly name: string;
  readonly label: string;
  /** What the action is about: a runner, a meeting, or the whole stack. */
  readonly target: 'runner' | 'meeting' | 'stack';
  /** Asked before it is done. */
  readonly confirm?: string | undefined;
  readonly hint: string;
}

export interface ConsoleFacts {
  /** For example `local stack` or `eu-central-1, RtmsKinesis-prod-…`. */
  readonly deployment: string;
  readonly isLocal: boolean;
  readonly actions: readonly ActionView[];
  readonly downloads: readonly string[];
}
