import type { LedgerRow } from '../../../shared/record/event-data.ts';
import { missWords } from '../records/describe-event.ts';
import type { ReceivedEvent, RtmsEventOf } from '../records/event-record.ts';
import { type Frame, type FrameSource, sourceKey } from '../records/frame.ts';
import { frameMs } from '../records/frame-length.ts';
import { SequenceRanges } from '../records/sequence-ranges.ts';
import { EpochLife, isPicture } from './blind-time.ts';
import { ExpiredNumbers, type ExpiredTime } from './expired.ts';
import { type EpochEnd, isLineKind, Recovered, type SourceEvidence } from './ledger-report.ts';
import type { Loss } from './loss.ts';

/** Far more gaps than a source ever has. Beyond them its counts no longer add up, which the report then says. */
const MAX_RANGES = 100_000;

/** Gap events kept one by one for each source and cause of an epoch. Those beyond are added to the last one. */
const MAX_GAPS = 1_000;

/** Everything that the two streams hold of one epoch of a stream, as far as a verdict needs it. */
export class EpochEvidence {
  readonly rtmsStreamId: string;
  readonly epoch: number;
  readonly sources = new Map<string, SourceEvidence>();
  /** Numbers of all lines, whatever their kind. */
  readonly lines = new SequenceRanges(MAX_RANGES);
  readonly recoveredLines = new Recovered();
  readonly expiredLines: ExpiredNumbers;
  readonly life = new EpochLife();
  /** First and last capture of all audio, which shares one partition key, and of each other media type. */
  readonly edges = new Map<string, CaptureEdges>();
  /** When the last line happened, Unix ms. Lines of all kinds share one partition key, and so one order. */
  lastLineMs: number | undefined;
  /** When the first one happened: signaling is connected before any media. */
  firstLineMs: number | undefined;
  end: EpochEnd = 'open';
  readonly #expired: readonly ExpiredTime[];
  readonly #gaps = new Map<string, Loss[]>();
  /** Pages of the ledger found, and how many its last event says there are. */
  readonly #pages = new Set<number>();
  #ledgerPages = 0;
  #missed: RtmsEventOf<'session_missed'> | undefined;

  /** @param expired times in which records expired before they were archived */
  constructor(rtmsStreamId: string, epoch: number, expired: readonly ExpiredTime[]) {
    this.rtmsStreamId = rtmsStreamId;
    this.epoch = epoch;
    this.#expired = expired;
    this.expiredLines = new ExpiredNumbers(expired.filter(({ stream }) => stream === 'events'));
  }

  frame(frame: Frame): void {
    const evidence = this.#source(frame.mediaType, frame);
    if (!evidence.seen.add(frame.sequence)) {
      evidence.duplicates += 1;
      return;
    }
    evidence.found += 1;
    evidence.expired.note(frame.sequence, frame.receivedAt.getTime());
    let edges = this.edges.get(frame.mediaType);
    if (!edges) {
      edges = new CaptureEdges();
      this.edges.set(frame.mediaType, edges);
    }
    const capturedAtMs = frame.capturedAt.getTime();
    evidence.lastMs = capturedAtMs + frameMs(frame);
    evidence.recovered.note(frame.sequence, capturedAtMs, frame.recovered === true);
    edges.add(capturedAtMs, capturedAtMs + frameMs(frame));
  }

  event(event: ReceivedEvent): void {
    const { name } = event;
    const kind = this.#source(name === 'transcript' || name === 'chat' ? name : 'events', {});
    if (!this.lines.add(event.sequence)) {
      kind.duplicates += 1;
      return;
    }
    const atMs = event.time.getTime();
    this.expiredLines.note(event.sequence, atMs);
    this.recoveredLines.note(event.sequence, atMs, event.recovered === true);
    this.life.event(event);
    if (name === 'session_missed') this.#missed = event;
    if (name === 'session_ended' || name === 'session_handed_over' || name === 'session_missed') {
      this.end = name === 'session_handed_over' ? 'handed_over' : 'ended';
      this.#ledgerPages = event.data.ledgerPages ?? 0;
      this.#ledger(event.data.ledger);
      // The ledger counts the lines before its own, so this line is not counted as found.
      return;
    }
    kind.found += 1;
    if (name === 'session_ledger') {
      this.#pages.add(event.data.page);
      this.#ledger(event.data.ledger);
    }
    if (name === 'gap') this.#gap(event);
    // A gap is told late and by the runner's clock. Only what Zoom said proves that a connection was there.
    else {
      this.lastLineMs = Math.max(this.lastLineMs ?? atMs, atMs);
      this.firstLineMs = Math.min(this.firstLineMs ?? atMs, atMs);
    }
  }

  /** Has its owner received anything? Not every owner comes to be connected to the media, and signaling brings lines too. */
  get hasReceived(): boolean {
    return this.life.streamingAtMs !== undefined || this.edges.size > 0;
  }

  /** Did a media type flow to its owner? Where its lines are lost, frames of any media type say that media flowed. */
  hasReceivedOf(mediaType: string): boolean {
    const { life, edges } = this;
    if (edges.has(mediaType)) return true;
    return life.streamingAtMs === undefined ? edges.size > 0 : life.hasFlowed(mediaType);
  }

  /** Pages that the last event of the epoch announces and that were not found. */
  get missingPages(): number {
    return this.#ledgerPages - this.#pages.size;
  }

  /** The whole stream, if it was never recorded. */
  get missed(): Loss[] {
    if (this.#missed === undefined) return [];
    const { rtmsStreamId, epoch } = this;
    const { data, time } = this.#missed;
    const toMs = time.getTime();
    const fromMs = Math.min(data.requestedAtMs, toMs);
    const cause = missWords(data);
    return [{ rtmsStreamId, epoch, kind: 'missed', mediaType: 'events', cause, fromMs, toMs }];
  }

  /** The losses that gap events tell. */
  get gaps(): readonly Loss[] {
    return [...this.#gaps.values()].flat();
  }

  /** @returns when the last frame or line of a media type was captured, Unix ms: until then the owner wrote */
  lastSeenMs(mediaType: string): number | undefined {
    const isLine = isLineKind(mediaType as LedgerRow['mediaType']);
    return isLine ? this.lastLineMs : this.edges.get(mediaType)?.endMs;
  }

  /**
   * @returns until when all of a media type that its owner received is written or told, if it wrote any: the units of one partition key
   *   are written in the order in which they were received. Each camera and each share has a key of its own, and of what was read back from a
   *   disk anything may be missing, so there the source that is furthest behind counts
   */
  writtenUntilMs(mediaType: string): number | undefined {
    const sources = [...this.sources.values()].filter((source) => source.mediaType === mediaType);
    const isInOrder = !isPicture(mediaType) && sources.every(({ recovered }) => recovered.isEmpty);
    const lasts = sources.flatMap(({ lastMs }) => lastMs ?? []);
    return isInOrder || lasts.length < 2 ? this.lastSeenMs(mediaType) : Math.min(...lasts);
  }

  /** Until when its owner wrote anything, Unix ms. */
  get lastWrittenMs(): number | undefined {
    const lasts = [...this.edges.values()].flatMap(({ endMs }) => endMs ?? []);
    if (this.lastLineMs !== undefined) lasts.push(this.lastLineMs);
    return lasts.length === 0 ? undefined : Math.max(...lasts);
  }

  #ledger(rows: readonly LedgerRow[]): void {
    for (const row of rows) this.#source(row.mediaType, row).ledger = row;
  }

  #gap({ data }: RtmsEventOf<'gap'>): void {
    const { mediaType, fromSequence, toSequence, count, cause, fromMs, toMs } = data;
    const lost = this.#source(mediaType, data);
    lost.gapCount += count;
    // A gap of 0 frames tells of media that Zoom did not send, which have no numbers.
    if (!isLineKind(mediaType) && count > 0) {
      lost.gaps.addRange({ from: fromSequence, to: toSequence });
    }
    // Frames that are dropped because Zoom took the consent back are no loss: to drop them was the order.
    if (cause === 'revoked') return;
    const key = `${mediaType} ${sourceKey(data)} ${cause}`;
    const gaps = this.#gaps.get(key) ?? [];
    this.#gaps.set(key, gaps);
    const last = gaps.at(-1);
    if (last && gaps.length >= MAX_GAPS) {
      const both = { toMs: Math.max(last.toMs, toMs), count: (last.count ?? 0) + count };
      gaps[gaps.length - 1] = { ...last, ...both };
      return;
    }
    const { rtmsStreamId, epoch } = this;
    const identity = identityOf(data);
    const what = { kind: 'gap', mediaType, ...identity, cause, fromMs, toMs, count } as const;
    gaps.push({ rtmsStreamId, epoch, ...what });
  }

  #source(mediaType: LedgerRow['mediaType'], frameSource: FrameSource): SourceEvidence {
    const isLine = isLineKind(mediaType);
    // Gaps of lines may name a speaker. The ledger counts lines without.
    const key = isLine ? `${mediaType} ` : `${mediaType} ${sourceKey(frameSource)}`;
    let evidence = this.sources.get(key);
    if (!evidence) {
      evidence = {
        epoch: this.epoch,
        mediaType,
        ...(!isLine && identityOf(frameSource)),
        found: 0,
        duplicates: 0,
        gapCount: 0,
        seen: new SequenceRanges(MAX_RANGES),
        gaps: new SequenceRanges(MAX_RANGES),
        recovered: new Recovered(),
        expired: new ExpiredNumbers(
          isLine ? [] : this.#expired.filter(({ stream }) => stream === 'media'),
        ),
      };
      this.sources.set(key, evidence);
    }
    return evidence;
  }
}

/** The fields that name a source, without those that are undefined. */
export function identityOf({ userId, channelId }: FrameSource): FrameSource {
  return {
    ...(userId !== undefined && { userId }),
    ...(channelId !== undefined && { channelId }),
  };
}

/** A capture time further than this from its neighbours in order is an outlier. It does not tell where audio ends. */
const OUTLIER_MS = 60_000;

/** Frames at either end that are compared with each other. */
const KEPT = 3;

/**
 * Where the capture time of one media type begins and ends, from its first and last frames in order. One frame with an
 * odd time (ten minutes ahead, say) must not cover up what is missing behind it.
 */
class CaptureEdges {
  readonly #first: number[] = [];
  readonly #last: number[] = [];
  #newestMs = Number.NEGATIVE_INFINITY;

  /** @param startMs, endMs of one frame, Unix ms */
  add(startMs: number, endMs: number): void {
    if (this.#first.length < KEPT) this.#first.push(startMs);
    // A frame of another source that ends a little earlier says nothing. One that ends long before shows that the newest
    // was an outlier.
    if (endMs < this.#newestMs && endMs >= this.#newestMs - OUTLIER_MS) return;
    this.#newestMs = endMs;
    this.#last.push(endMs);
    if (this.#last.length > KEPT) this.#last.shift();
  }

  get startMs(): number | undefined {
    const [least, second] = this.#first.toSorted((a, b) => a - b);
    return least !== undefined && second !== undefined && second - least > OUTLIER_MS
      ? second
      : least;
  }

  get endMs(): number | undefined {
    const [most, second] = this.#last.toSorted((a, b) => b - a);
    return most !== undefined && second !== undefined && most - second > OUTLIER_MS ? second : most;
  }
}
