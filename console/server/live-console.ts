import type { ServerResponse } from 'node:http';
import {
  EventDecoder,
  type Frame,
  FrameDecoder,
  type KinesisSender,
  type ReceivedEvent,
} from '../../sdk/consumer/index.ts';
import { meetingList } from '../model/meeting-list.ts';
import { MeetingLogs } from '../model/meeting-logs.ts';
import { Gauge, STEP_MS, Traffic } from '../model/traffic.ts';
import type { OverviewView } from '../views.ts';
import { FrameViews } from './frame-views.ts';
import { MeetingHistory } from './meeting-history.ts';
import { Heartbeats, type LocalProcess, ownersOf } from './owners.ts';
import { wordsOf } from './problems.ts';
import { StreamFeed } from './stream-feed.ts';
import { Tab, type TabView } from './tab.ts';
import type { SessionRows } from './table.ts';

/** How far back the events are read when the console begins. */
const LOOK_BACK_MS = 15 * 60_000;
/** Of media only what is new is read. */
const MEDIA_LOOK_BACK_MS = 3_000;
const PUMP_MS = 100;
const STATE_MS = 500;
const ROWS_MS = 2_000;
/** Without a tab nothing is read. A page that is loaded again is back before this. */
const IDLE_AFTER_MS = 20_000;
/** A media stream with more shards is read only while somebody looks at a meeting. */
const MAX_SHARDS_UNWATCHED = 16;

export interface LiveConsoleParts {
  readonly kinesis: KinesisSender;
  readonly mediaStream: string;
  readonly eventsStream: string;
  /** Pause between two reads of a shard, ms. */
  readonly pollMs: number;
  /** Name of a registered consumer of both streams, for enhanced fan-out. The client has to speak HTTP/2 then. */
  readonly consumerName?: string | undefined;
  readonly readRows: () => Promise<SessionRows>;
  /** Local stack only. */
  readonly processes?: () => readonly LocalProcess[];
  /** Local stack only: records that the stream refused for throughput. */
  readonly writeThrottles?: (streamName: string) => number;
}

interface Watched {
  readonly views: FrameViews;
  readonly tabs: Set<Tab>;
}

/** Reads the two streams and the table once, however many tabs look, and tells each tab what it wants to know. */
export class LiveConsole {
  readonly #parts: LiveConsoleParts;
  readonly #tabs = new Set<Tab>();
  readonly #watched = new Map<string, Watched>();
  readonly #traffic = { media: new Traffic(), events: new Traffic() };
  readonly #heartbeats = new Heartbeats();
  readonly #gauges = { live: new Gauge('meetings', ''), lag: new Gauge('lag', 'ms') };
  readonly #media: StreamFeed<Frame>;
  readonly #events: StreamFeed<ReceivedEvent>;
  readonly #history: MeetingHistory;
  readonly #timer: NodeJS.Timeout;
  #meetings = new MeetingLogs(Date.now() - LOOK_BACK_MS);
  #rows: SessionRows = { sessions: [], tasks: [], unreadable: [] };
  #rowsProblem: string | undefined;
  #rowsAtMs = 0;
  #isReadingRows = false;
  #statesAtMs = 0;
  #idleSinceMs = Date.now();
  #mediaSinceMs = Date.now();

  constructor(parts: LiveConsoleParts) {
    this.#parts = parts;
    const { kinesis, mediaStream, eventsStream, pollMs, consumerName } = parts;
    this.#media = new StreamFeed<Frame>({
      client: kinesis,
      streamName: mediaStream,
      kind: 'media',
      pollMs,
      consumerName,
      traffic: this.#traffic.media,
      decoder: (onBadRecord) => new FrameDecoder({ onBadRecord }),
      onItem: (frame, arrivedAtMs) => this.#frame(frame, arrivedAtMs),
    });
    this.#events = new StreamFeed<ReceivedEvent>({
      client: kinesis,
      streamName: eventsStream,
      kind: 'events',
      pollMs,
      consumerName,
      traffic: this.#traffic.events,
      decoder: (onBadRecord) => new EventDecoder({ onBadRecord }),
      onItem: (event) => this.#event(event),
    });
    this.#history = new MeetingHistory(kinesis, eventsStream);
    this.#timer = setInterval(() => this.#tick(), PUMP_MS);
    this.#timer.unref();
  }

  get tabs(): number {
    return this.#tabs.size;
  }

  get rows(): SessionRows {
    return this.#rows;
  }

  open(looksAt: TabView, response: ServerResponse): void {
    const tab = new Tab(looksAt, response);
    this.#tabs.add(tab);
    response.on('close', () => this.#close(tab));
    const { meeting } = looksAt;
    if (meeting !== undefined) {
      const watched = this.#watched.get(meeting) ?? { views: new FrameViews(), tabs: new Set() };
      this.#watched.set(meeting, watched);
      watched.tabs.add(tab);
      for (const picture of watched.views.pictures()) tab.frame(picture);
      void this.#catchUp(meeting);
    }
    this.#statesAtMs = 0;
    this.#tick();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    for (const tab of this.#tabs) tab.end();
    await Promise.all([this.#media.stop(false), this.#events.stop(false)]);
  }

  overview(nowMs: number): OverviewView {
    const { processes, writeThrottles } = this.#parts;
    const { sessions, tasks, unreadable } = this.#rows;
    const { meetings, more } = meetingList(sessions, this.#meetings.all(), nowMs);
    const streams = [this.#media, this.#events].map((feed) => {
      const summary = feed.summary(nowMs);
      return {
        ...summary,
        ...(writeThrottles && { writeThrottles: writeThrottles(summary.name) }),
      };
    });
    const live = meetings.filter(
      ({ outcome, state }) => outcome === undefined && state !== 'ended',
    );
    const lags = live.flatMap(({ lagMs }) => lagMs ?? []).sort((a, b) => a - b);
    this.#gauges.live.set(live.length + more, nowMs);
    if (lags.length > 0) this.#gauges.lag.set(lags[lags.length >> 1] ?? 0, nowMs);
    return {
      atMs: nowMs,
      meetings,
      moreMeetings: more,
      owners: ownersOf(tasks, sessions, this.#heartbeats, processes?.() ?? [], nowMs),
      streams,
      outcomes: this.#meetings.outcomes(),
      sparklines: [
        this.#gauges.live.sparkline(nowMs),
        this.#gauges.lag.sparkline(nowMs),
        this.#traffic.media.sparkline('media', nowMs, this.#mediaSinceMs),
        this.#traffic.events.sparkline('events', nowMs, this.#meetings.sinceMs),
      ],
      stepMs: STEP_MS,
      problems: [
        ...[
          this.#rowsProblem,
          this.#media.problem,
          this.#events.problem,
          this.#media.pushProblem,
          this.#events.pushProblem,
        ].filter((text) => text !== undefined),
        ...unreadable.map(({ pk, unreadable: fields }) => {
          return `unreadable row, served by nobody: ${pk} (${fields.join(', ')})`;
        }),
      ],
    };
  }

  #close(tab: Tab): void {
    this.#tabs.delete(tab);
    const { meeting } = tab.looksAt;
    const watched = meeting === undefined ? undefined : this.#watched.get(meeting);
    watched?.tabs.delete(tab);
    if (watched?.tabs.size === 0) this.#watched.delete(meeting ?? '');
    this.#idleSinceMs = Date.now();
  }

  #event(event: ReceivedEvent): void {
    this.#meetings.event(event, Date.now());
    this.#history.event(event);
  }

  #frame(frame: Frame, arrivedAtMs: number | undefined): void {
    this.#meetings.frame(frame, arrivedAtMs, Date.now());
    const watched = this.#watched.get(frame.rtmsStreamId);
    if (watched === undefined || this.#meetings.get(frame.rtmsStreamId)?.isRevoked) return;
    const view = watched.views.view(frame);
    if (view === undefined) return;
    for (const tab of watched.tabs) tab.frame(view);
  }

  #tick(): void {
    const nowMs = Date.now();
    this.#readOrRest(nowMs);
    if (this.#tabs.size === 0) return;
    const isStateDue = nowMs - this.#statesAtMs >= STATE_MS;
    if (isStateDue) this.#statesAtMs = nowMs;
    const overview = isStateDue ? this.overview(nowMs) : undefined;
    for (const tab of this.#tabs) {
      if (!tab.isReady) continue;
      const log = this.#meetings.get(tab.looksAt.meeting ?? '');
      if (overview !== undefined) tab.state('overview', overview);
      if (isStateDue && log !== undefined) tab.state('meeting', log.view());
      tab.pump(log, nowMs);
    }
  }

  /** Reads while somebody looks, and nothing when nobody does. */
  #readOrRest(nowMs: number): void {
    if (this.#tabs.size === 0) {
      if (nowMs - this.#idleSinceMs > IDLE_AFTER_MS && this.#events.isReading) {
        void this.#events.stop(true);
        void this.#media.stop(false);
      }
      return;
    }
    if (!this.#events.isReading) {
      // Reading all that was missed would take a while, and whoever opens a meeting gets all of it anyway.
      if (nowMs - this.#idleSinceMs > LOOK_BACK_MS) {
        void this.#events.stop(false);
        this.#meetings = new MeetingLogs(nowMs - LOOK_BACK_MS);
      }
      this.#events.start(new Date(this.#meetings.sinceMs));
    }
    const isSmall = this.#media.summary(nowMs).shards <= MAX_SHARDS_UNWATCHED;
    if (isSmall || this.#watched.size > 0) {
      if (!this.#media.isReading) {
        this.#mediaSinceMs = nowMs;
        this.#media.start(new Date(nowMs - MEDIA_LOOK_BACK_MS));
      }
    } else if (this.#media.isReading) void this.#media.stop(false);
    if (nowMs - this.#rowsAtMs >= ROWS_MS && !this.#isReadingRows) void this.#readRows(nowMs);
  }

  async #readRows(nowMs: number): Promise<void> {
    this.#isReadingRows = true;
    try {
      this.#rows = await this.#parts.readRows();
      this.#heartbeats.look(this.#rows.tasks, Date.now());
      this.#rowsProblem = undefined;
    } catch (error) {
      this.#rowsProblem = wordsOf(error, 'session table', 'dynamodb:Scan');
    } finally {
      this.#rowsAtMs = nowMs;
      this.#isReadingRows = false;
    }
  }

  /** Reads the events of a meeting that began before this console did. */
  async #catchUp(rtmsStreamId: string): Promise<void> {
    const row = this.#rows.sessions.find((each) => each.rtmsStreamId === rtmsStreamId);
    const known = this.#meetings.get(rtmsStreamId);
    if (known?.beganAtFirst === true) return;
    const log = await this.#history.read(rtmsStreamId, row);
    // The live reading may have had all of it by now.
    if (log === undefined || this.#meetings.get(rtmsStreamId)?.beganAtFirst === true) return;
    this.#meetings.replace(log);
  }
}
