import { FileSink } from '../file-sink.ts';
import type { Chapter } from '../meeting-file/mp4-boxes.ts';
import {
  date,
  ebml,
  elementHead,
  float,
  nothing,
  uint,
  utf8,
  variable,
  variable8,
} from './ebml.ts';
import { isVideo, type MkvTrack, trackEntries } from './mkv-tracks.ts';

/** A cluster is held in memory until it is written. Its blocks say their times in 16 bits, so it may last 32 s at most. */
const CLUSTER_MS = 5_000;
const CLUSTER_BYTES = 1024 * 1024;

/** Key frames that a player can jump to are this far apart at least, ms. */
const CUE_EVERY_MS = 1_000;

/** Room for the list of where the parts of the file are, which is known at the end. */
const SEEK_BYTES = 160;

const INFO = 0x1549a966;
const TRACKS = 0x1654ae6b;
const TAGS = 0x1254c367;
const CUES = 0x1c53bb6b;
const CHAPTERS = 0x1043a770;
const CLUSTER = 0x1f43b675;

/** What a file tells of itself. */
export interface MkvFacts {
  readonly title: string;
  readonly comment: string;
  /** When the meeting began, Unix ms. */
  readonly startMs: number;
}

export interface MkvBlock {
  /** The place of the track in the list that the file was made with. */
  readonly track: number;
  /** Since meeting zero. */
  readonly atMs: number;
  readonly isKey: boolean;
  readonly data: Uint8Array;
  /** Where the end is not that of the track's next block. */
  readonly durationMs?: number;
}

/**
 * Writes a Matroska file front to back, from blocks in the order of time. Memory holds one cluster, and 24 bytes for each place
 * that a player can jump to.
 *
 * Written here because the Matroska writer that the export has otherwise (mediabunny) has no chapters, no S_TEXT/UTF8 and no JPG.
 */
export class MkvFile {
  readonly #sink: FileSink;
  readonly #tracks: readonly MkvTrack[];
  /** Where the parts of the segment are, by id, from its first byte on. */
  readonly #places = new Map<number, number>();
  readonly #cues: { readonly atMs: number; readonly track: number; readonly clusterAt: number }[] =
    [];
  readonly #hasVideo: boolean;
  readonly #cuedMs = new Map<number, number>();
  #segmentAt = 0;
  #durationAt = 0;
  #cluster: { readonly atMs: number; readonly blocks: Uint8Array[]; bytes: number } | undefined;

  private constructor(sink: FileSink, tracks: readonly MkvTrack[]) {
    this.#sink = sink;
    this.#tracks = tracks;
    this.#hasVideo = tracks.some(isVideo);
  }

  static async create(
    path: string,
    facts: MkvFacts,
    tracks: readonly MkvTrack[],
  ): Promise<MkvFile> {
    const sink = await FileSink.create(path);
    const file = new MkvFile(sink, tracks);
    try {
      await file.#begin(facts);
    } catch (error) {
      await file.abort();
      throw error;
    }
    return file;
  }

  async add({ track, atMs: exactMs, isKey, data, durationMs }: MkvBlock): Promise<void> {
    const atMs = Math.max(Math.round(exactMs), 0);
    const begun = this.#cluster;
    if (begun && (atMs - begun.atMs >= CLUSTER_MS || begun.bytes >= CLUSTER_BYTES))
      await this.#writeCluster();
    this.#cluster ??= { atMs, blocks: [], bytes: 0 };
    const { blocks, atMs: clusterMs } = this.#cluster;
    const number = variable(track + 1);
    const head = Buffer.alloc(3);
    // Times of one millisecond may stand before the cluster's by rounding.
    head.writeInt16BE(Math.max(atMs - clusterMs, 0));
    const body = [number, head, data];
    const bytes = number.length + head.length + data.length;
    if (durationMs === undefined) {
      head[2] = isKey ? 0x80 : 0;
      blocks.push(elementHead(0xa3, bytes), ...body);
    } else {
      const duration = uint(0x9b, durationMs);
      const block = elementHead(0xa1, bytes);
      blocks.push(
        elementHead(0xa0, block.length + bytes + duration.length),
        block,
        ...body,
        duration,
      );
    }
    // Heads are at most 24 bytes. Nothing depends on it but when the cluster is written.
    this.#cluster.bytes += bytes + 24;
    if (isKey) this.#cue(track, atMs);
  }

  /** Completes the file. @param endMs how long the meeting is */
  async close(chapters: readonly Chapter[], endMs: number): Promise<void> {
    if (this.#cluster) await this.#writeCluster();
    if (this.#cues.length > 0) await this.#put(CUES, ...this.#cuePoints());
    if (chapters.length > 0) await this.#put(CHAPTERS, edition(chapters, endMs));
    await this.#sink.flush();
    const segmentBytes = this.#sink.size - this.#segmentAt;
    await this.#sink.writeAt(variable8(segmentBytes), this.#segmentAt - 8);
    await this.#sink.writeAt(this.#seekHead(), this.#segmentAt);
    const duration = Buffer.alloc(8);
    duration.writeDoubleBE(endMs);
    await this.#sink.writeAt(duration, this.#durationAt);
    await this.#sink.close();
  }

  async abort(): Promise<void> {
    await this.#sink.abort();
  }

  async #begin({ title, comment, startMs }: MkvFacts): Promise<void> {
    const header = ebml(
      0x1a45dfa3,
      uint(0x4286, 1),
      uint(0x42f7, 1),
      uint(0x42f2, 4),
      uint(0x42f3, 8),
      utf8(0x4282, 'matroska'),
      uint(0x4287, 4),
      uint(0x4285, 2),
    );
    await this.#sink.append(header);
    await this.#sink.append(Buffer.concat([Buffer.from('18538067', 'hex'), variable8(0)]));
    this.#segmentAt = this.#sink.size;
    await this.#sink.append(nothing(SEEK_BYTES));
    const facts = [
      uint(0x2ad7b1, 1_000_000),
      date(0x4461, startMs),
      utf8(0x7ba9, title),
      utf8(0x4d80, 'rtms-kinesis'),
      utf8(0x5741, 'rtms-kinesis'),
    ];
    // The length is known at the end, and stands last so that its place is known.
    await this.#put(INFO, ...facts, float(0x4489, 0));
    this.#durationAt = this.#sink.size - 8;
    await this.#put(TRACKS, ...trackEntries(this.#tracks));
    const told = { COMMENT: comment, DATE_RECORDED: new Date(startMs).toISOString() };
    await this.#put(TAGS, tags(told));
  }

  async #put(id: number, ...parts: readonly Uint8Array[]): Promise<void> {
    this.#places.set(id, this.#sink.size - this.#segmentAt);
    await this.#sink.append(ebml(id, ...parts));
  }

  async #writeCluster(): Promise<void> {
    if (!this.#cluster) return;
    const { atMs, blocks } = this.#cluster;
    this.#cluster = undefined;
    const time = uint(0xe7, atMs);
    const bytes = blocks.reduce((sum, { length }) => sum + length, time.length);
    await this.#sink.append(Buffer.concat([elementHead(CLUSTER, bytes), time]));
    for (const block of blocks) await this.#sink.append(block);
  }

  /** Players jump to key frames of pictures; where there are none, to anything. */
  #cue(track: number, atMs: number): void {
    const isPlace = this.#hasVideo ? isVideo(this.#tracks[track] as MkvTrack) : true;
    if (!isPlace || atMs - (this.#cuedMs.get(track) ?? Number.NEGATIVE_INFINITY) < CUE_EVERY_MS)
      return;
    this.#cuedMs.set(track, atMs);
    // The cluster is written when it is whole, behind everything that is there now.
    this.#cues.push({ atMs, track, clusterAt: this.#sink.size - this.#segmentAt });
  }

  #cuePoints(): Buffer[] {
    return this.#cues.map(({ atMs, track, clusterAt }) =>
      ebml(0xbb, uint(0xb3, atMs), ebml(0xb7, uint(0xf7, track + 1), uint(0xf1, clusterAt))),
    );
  }

  #seekHead(): Buffer {
    const seeks = [...this.#places].map(([id, at]) => {
      const idBytes = Buffer.alloc(4);
      idBytes.writeUInt32BE(id);
      return ebml(0x4dbb, ebml(0x53ab, idBytes), uint(0x53ac, at));
    });
    const head = ebml(0x114d9b74, ...seeks);
    return Buffer.concat([head, nothing(SEEK_BYTES - head.length)]);
  }
}

function tags(values: Readonly<Record<string, string>>): Buffer {
  const all = Object.entries(values).map(([name, value]) =>
    ebml(0x67c8, utf8(0x45a3, name), utf8(0x4487, value)),
  );
  return ebml(0x7373, ebml(0x63c0), ...all);
}

function edition(chapters: readonly Chapter[], endMs: number): Buffer {
  const atoms = chapters.map(({ atMs, title }, index) =>
    ebml(
      0xb6,
      uint(0x73c4, index + 1),
      uint(0x91, atMs * 1e6),
      uint(0x92, (chapters[index + 1]?.atMs ?? endMs) * 1e6),
      ebml(0x80, utf8(0x85, title), utf8(0x437c, 'und')),
    ),
  );
  return ebml(0x45b9, ...atoms);
}
