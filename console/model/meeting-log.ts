import type { Frame, ReceivedEvent } from '../../sdk/consumer/index.ts';
import { countsAsMissed, tellsLoss } from '../../shared/record/outcome.ts';
import type { LineView, MeetingDetail, MeetingOutcome, MomentView } from '../views.ts';
import { isMoment, momentOf } from './moments.ts';
import { NumberedList } from './numbered-list.ts';
import { People } from './people.ts';
import { SourceAccounts } from './source-account.ts';

/** Lines and moments of one meeting that are kept in memory. `rtms export` has all of them. */
const MOST_LINES = 2_000;
const MOST_MOMENTS = 1_000;
const MOST_RECOVERED = 10_000;
/** Rows that a page shows. It says how many more there are. */
const MOST_SHOWN = 200;

/** One meeting as the two streams tell of it: everything that the page, or a program, may ask. Pure. */
export class MeetingLog {
  readonly rtmsStreamId: string;
  readonly lines = new NumberedList<LineView>(MOST_LINES);
  readonly moments = new NumberedList<MomentView>(MOST_MOMENTS);
  readonly people = new People();
  readonly sources = new SourceAccounts();
  product: string | undefined;
  topic: string | undefined;
  meetingId: string | undefined;
  entityId: string | undefined;
  owner: string | undefined;
  epoch = 0;
  startedAtMs: number | undefined;
  endedAtMs: number | undefined;
  outcome: MeetingOutcome | undefined;
  /** Zoom took the consent back: nothing of the meeting is kept or shown from then on. */
  isRevoked = false;
  isPaused = false;
  isInterrupted = false;
  /** From capture at Zoom to arrival in Kinesis, of the newest media, ms. */
  lagMs: number | undefined;
  /** When something of it was read last, Unix ms. */
  readAtMs = 0;
  /** Whether the first event of the meeting was among those that were read. */
  beganAtFirst = false;
  /** Number of the newest event of the newest epoch. */
  #eventEpoch = 0;
  readonly #recovered = new Set<string>();
  #sequence = 0;
  #speaker: string | undefined;
  #tellsLoss = false;

  constructor(rtmsStreamId: string) {
    this.rtmsStreamId = rtmsStreamId;
  }

  get isOver(): boolean {
    return this.endedAtMs !== undefined;
  }

  get state(): string {
    if (this.isRevoked) return 'revoked';
    if (this.isOver) return 'ended';
    if (this.isInterrupted) return 'interrupted';
    if (this.isPaused) return 'paused';
    return this.startedAtMs === undefined ? 'seen' : 'serving';
  }

  get name(): string {
    return this.topic || this.meetingId || this.entityId || this.rtmsStreamId;
  }

  /** Takes in an event, once: a meeting that was read anew from its beginning is ahead of the live reading for a while. */
  event(event: ReceivedEvent, nowMs: number): void {
    if (this.#has(event)) return;
    this.readAtMs = nowMs;
    this.product = event.product;
    this.entityId = event.entityId;
    if (event.epoch === 1 && event.sequence === 1) this.beganAtFirst = true;
    if (event.epoch > this.#eventEpoch) this.#sequence = 0;
    this.#eventEpoch = Math.max(this.#eventEpoch, event.epoch);
    if (event.epoch === this.#eventEpoch) this.#sequence = Math.max(this.#sequence, event.sequence);
    this.epoch = Math.max(this.epoch, event.epoch);
    this.#life(event);
    if (this.isRevoked) return;
    this.#content(event);
    if (isMoment(event)) this.moments.add((number) => momentOf(event, number));
    if (event.name !== 'newer' && tellsLoss(event.name, event.data)) this.#tellsLoss = true;
  }

  /** What was read back from the disk of a dead runner comes behind later events. There is little of it. */
  #has({ epoch, sequence, id, recovered }: ReceivedEvent): boolean {
    if (recovered === true) {
      const isKnown = this.#recovered.has(id);
      if (this.#recovered.size < MOST_RECOVERED) this.#recovered.add(id);
      return isKnown;
    }
    return epoch < this.#eventEpoch || (epoch === this.#eventEpoch && sequence <= this.#sequence);
  }

  /** @param arrivedAtMs when the record with the frame arrived in Kinesis, as far as Kinesis says */
  frame(frame: Frame, arrivedAtMs: number | undefined, nowMs: number): void {
    if (this.isRevoked) return;
    this.readAtMs = nowMs;
    this.epoch = Math.max(this.epoch, frame.epoch);
    this.sources.frame(frame);
    const { userId, userName } = frame;
    if (userId !== undefined && userName !== '' && this.people.nameOf(userId) === undefined) {
      this.people.change([{ userId, userName }], { isPresent: true });
    }
    if (arrivedAtMs !== undefined)
      this.lagMs = Math.max(0, arrivedAtMs - frame.capturedAt.getTime());
  }

  view(): MeetingDetail {
    const { rtmsStreamId, product, owner, epoch, startedAtMs, endedAtMs, lagMs, people } = this;
    return {
      rtmsStreamId,
      name: this.name,
      product,
      state: this.state,
      owner,
      epoch,
      startedAtMs,
      endedAtMs,
      lagMs: this.isOver ? undefined : lagMs,
      revoked: this.isRevoked,
      speaker: this.isOver ? undefined : this.#speaker,
      people: people.view(MOST_SHOWN),
      peopleTotal: people.total,
      peoplePresent: people.present,
      sources: this.sources.view(MOST_SHOWN, (userId) => people.nameOf(userId)),
    };
  }

  /** What begins and ends the meeting and its epochs. */
  #life(event: ReceivedEvent): void {
    switch (event.name) {
      case 'session_started': {
        const { topic, meetingId, webinarId, owner, requestedAtMs } = event.data;
        this.topic = topic ?? this.topic;
        this.meetingId = meetingId ?? webinarId ?? this.meetingId;
        this.owner = owner ?? this.owner;
        this.startedAtMs ??= requestedAtMs;
        this.endedAtMs = undefined;
        this.isInterrupted = false;
        if (this.outcome !== undefined) this.#tellsLoss = false;
        this.outcome = undefined;
        break;
      }
      case 'session_interrupted':
        this.isInterrupted ||= event.data.scope === 'signaling';
        break;
      case 'session_reconnected':
        if (event.data.scope === 'signaling') this.isInterrupted = false;
        break;
      case 'session_paused':
      case 'session_resumed':
        this.isPaused = event.name === 'session_paused';
        break;
      case 'session_ended':
        this.endedAtMs = event.time.getTime();
        this.outcome = this.#tellsLoss || event.data.restartable ? 'in part' : 'whole';
        break;
      case 'session_missed':
        this.endedAtMs = event.time.getTime();
        this.startedAtMs ??= event.data.requestedAtMs;
        if (countsAsMissed(event.data.reason)) this.outcome = 'missed';
        break;
      case 'session_revoked':
        this.isRevoked = true;
        for (const kept of [this.lines, this.moments, this.people, this.sources]) kept.clear();
        this.#speaker = undefined;
        break;
      default:
    }
  }

  #content(event: ReceivedEvent): void {
    switch (event.name) {
      case 'transcript': {
        const { text, timestampMs, userId, channelId, userName } = event.data;
        const who =
          userName || this.people.nameOf(userId) || String(userId ?? channelId ?? 'somebody');
        this.lines.add((number) => ({
          number,
          kind: 'transcript',
          atMs: timestampMs,
          who,
          userId,
          text,
        }));
        break;
      }
      case 'chat': {
        const { text, sender, operation } = event.data;
        const who = sender?.userName || this.people.nameOf(sender?.userId) || 'somebody';
        const atMs = event.time.getTime();
        const userId = sender?.userId;
        this.lines.add((number) => ({ number, kind: 'chat', atMs, who, userId, text, operation }));
        break;
      }
      case 'participant_joined':
        this.people.change(event.data.participants, { isPresent: true });
        break;
      case 'participant_left':
        this.people.change(event.data.participants, { isPresent: false, hasVideo: false });
        break;
      case 'participant_video_on':
      case 'participant_video_off':
        this.people.change(event.data.participants, {
          isPresent: true,
          hasVideo: event.name === 'participant_video_on',
        });
        break;
      case 'active_speaker':
        this.#speaker = event.data.userName || this.people.nameOf(event.data.userId);
        break;
      case 'gap':
        this.sources.gap(event.data);
        break;
      case 'session_ledger':
      case 'session_handed_over':
      case 'session_ended':
      case 'session_missed':
        this.sources.ledger(event.data.ledger);
        break;
      default:
    }
  }
}
