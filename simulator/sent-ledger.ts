import { createHash, type Hash } from 'node:crypto';
import { createWriteStream, mkdirSync, type WriteStream, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FrameMediaType, MediaSource } from '../rtms/protocol/media-type.ts';
import type { ClientConnection, ConnectionEnd } from './sockets/connection.ts';

/** Why Zoom itself did not send a frame. */
export type NotSentReason = 'not_connected' | 'buffer_full' | 'buffer_declined';

/** Frames of one source between two capture times, Unix ms, both inclusive. */
export interface FrameRange {
  readonly frames: number;
  readonly fromMs: number;
  readonly toMs: number;
}

/** What Zoom sent of one source of frames, and what not. Times are Unix ms. */
export interface SentSource extends MediaSource {
  readonly mediaType: FrameMediaType;
  readonly frames: number;
  readonly bytes: number;
  /** SHA-256 over all payloads in the order sent. */
  readonly sha256: string;
  readonly firstTimestampMs?: number;
  readonly lastTimestampMs?: number;
  /** Written to a connection that broke before the client confirmed them: it is unknown whether they were received. */
  readonly uncertain: readonly (FrameRange & { readonly end: ConnectionEnd })[];
  /** Dropped by Zoom: there was no client, or they were older than the buffer keeps. */
  readonly notSent: readonly (FrameRange & { readonly reason: NotSentReason })[];
}

/** A line of text. `sent` is false when there was no client to take it. */
export interface SentLine {
  readonly userId: number;
  readonly text: string;
  readonly timestampMs: number;
  readonly sent: boolean;
}

/** A transcript line, with the times of the words, Unix ms. */
export interface SentTranscript extends SentLine {
  readonly startMs: number;
  readonly endMs: number;
}

/** A chat message; `operation` is CHAT_OPERATION. */
export interface SentChat extends SentLine {
  readonly messageId: string;
  readonly operation: number;
}

/** A message 6. `sent` is false when there was no client to take it. */
export interface SentEvent {
  readonly eventType: number;
  readonly timestampMs: number;
  readonly sent: boolean;
}

/** Everything that Zoom sent of one RTMS stream, and what it did not send. */
export interface SentReport {
  readonly rtmsStreamId: string;
  readonly sources: readonly SentSource[];
  readonly transcript: readonly SentTranscript[];
  readonly chat: readonly SentChat[];
  readonly events: readonly SentEvent[];
}

/** The source of a frame. Mixed audio is user 0. */
export interface SentSourceId {
  readonly mediaType: FrameMediaType;
  readonly userId: number;
  readonly channelId?: string | undefined;
}

interface SourceEntry {
  readonly id: SentSourceId;
  readonly hash: Hash;
  readonly file: WriteStream | undefined;
  frames: number;
  bytes: number;
  firstTimestampMs: number | undefined;
  lastTimestampMs: number | undefined;
  uncertain: (FrameRange & { end: ConnectionEnd })[];
  notSent: (FrameRange & { reason: NotSentReason })[];
}

interface Unconfirmed {
  readonly source: SourceEntry;
  readonly round: number;
  frames: number;
  fromMs: number;
  toMs: number;
}

/** Keeps the ledger of one RTMS stream: the truth with which everything that was read from Kinesis is compared. */
export class SentLedger {
  readonly #rtmsStreamId: string;
  readonly #directory: string | undefined;
  readonly #sources = new Map<string, SourceEntry>();
  readonly #unconfirmed = new Map<ClientConnection, Unconfirmed[]>();
  readonly #transcript: SentTranscript[] = [];
  readonly #chat: SentChat[] = [];
  readonly #events: SentEvent[] = [];

  /** @param sentDir where the payloads are written too, in one folder for each stream; undefined: nowhere */
  constructor(rtmsStreamId: string, sentDir?: string) {
    this.#rtmsStreamId = rtmsStreamId;
    this.#directory = sentDir === undefined ? undefined : join(sentDir, rtmsStreamId);
    if (this.#directory !== undefined) mkdirSync(this.#directory, { recursive: true });
  }

  frameSent(
    id: SentSourceId,
    payload: Buffer,
    timestampMs: number,
    connection: ClientConnection,
  ): void {
    const source = this.#source(id);
    source.frames += 1;
    source.bytes += payload.length;
    source.hash.update(payload);
    source.file?.write(payload);
    source.firstTimestampMs ??= timestampMs;
    source.lastTimestampMs = timestampMs;
    this.#awaitConfirmation(source, timestampMs, connection);
  }

  frameNotSent(id: SentSourceId, timestampMs: number, reason: NotSentReason): void {
    const { notSent } = this.#source(id);
    const last = notSent.at(-1);
    if (last?.reason === reason) {
      const frames = last.frames + 1;
      notSent[notSent.length - 1] = { ...last, frames, toMs: timestampMs };
    } else notSent.push({ reason, frames: 1, fromMs: timestampMs, toMs: timestampMs });
  }

  /** The connection has ended. Frames that it had not confirmed are uncertain, unless it was closed in good order. */
  connectionEnded(connection: ClientConnection, end: ConnectionEnd): void {
    const open = this.#unconfirmed.get(connection) ?? [];
    this.#unconfirmed.delete(connection);
    if (end === 'client_closed' || end === 'server_closed') return;
    for (const { source, round, frames, fromMs, toMs } of open) {
      if (round >= connection.answeredRound) source.uncertain.push({ frames, fromMs, toMs, end });
    }
  }

  transcript(line: SentTranscript): void {
    this.#transcript.push(line);
  }

  chat(message: SentChat): void {
    this.#chat.push(message);
  }

  event(event: SentEvent): void {
    this.#events.push(event);
  }

  report(): SentReport {
    return {
      rtmsStreamId: this.#rtmsStreamId,
      sources: [...this.#sources.values()].map(describe),
      transcript: [...this.#transcript],
      chat: [...this.#chat],
      events: [...this.#events],
    };
  }

  /** Ends the payload files and writes the report beside them as `sent.json`. */
  async close(): Promise<void> {
    if (this.#directory === undefined) return;
    const files = [...this.#sources.values()].flatMap(({ file }) => file ?? []);
    await Promise.all(files.map((file) => new Promise<void>((done) => file.end(done))));
    const report = `${JSON.stringify(this.report(), undefined, 2)}\n`;
    writeFileSync(join(this.#directory, 'sent.json'), report);
  }

  #source(id: SentSourceId): SourceEntry {
    const key = `${id.mediaType}-${id.channelId ?? id.userId}`;
    let source = this.#sources.get(key);
    if (source === undefined) {
      const file = this.#directory && createWriteStream(join(this.#directory, `${key}.bin`));
      source = {
        id,
        hash: createHash('sha256'),
        file: file || undefined,
        frames: 0,
        bytes: 0,
        firstTimestampMs: undefined,
        lastTimestampMs: undefined,
        uncertain: [],
        notSent: [],
      };
      this.#sources.set(key, source);
    }
    return source;
  }

  #awaitConfirmation(source: SourceEntry, timestampMs: number, connection: ClientConnection): void {
    let open = this.#unconfirmed.get(connection);
    if (open === undefined || open.some(({ round }) => round < connection.answeredRound)) {
      open = (open ?? []).filter(({ round }) => round >= connection.answeredRound);
      this.#unconfirmed.set(connection, open);
    }
    const { round } = connection;
    const known = open.find((entry) => entry.source === source && entry.round === round);
    if (known) {
      known.frames += 1;
      known.toMs = timestampMs;
    } else open.push({ source, round, frames: 1, fromMs: timestampMs, toMs: timestampMs });
  }
}

function describe(source: SourceEntry): SentSource {
  const { mediaType, userId, channelId } = source.id;
  return {
    mediaType,
    ...(channelId === undefined ? { userId } : { channelId }),
    frames: source.frames,
    bytes: source.bytes,
    sha256: source.hash.copy().digest('hex'),
    ...(source.firstTimestampMs !== undefined && { firstTimestampMs: source.firstTimestampMs }),
    ...(source.lastTimestampMs !== undefined && { lastTimestampMs: source.lastTimestampMs }),
    uncertain: source.uncertain,
    notSent: source.notSent,
  };
}
