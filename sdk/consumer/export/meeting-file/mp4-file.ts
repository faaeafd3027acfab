import { FileSink } from '../file-sink.ts';
import {
  box,
  type Chapter,
  fullBox,
  neroChapters,
  tags,
  textSample,
  timedText,
  UNITY_MATRIX,
  u8,
  u16,
  u32,
  u64,
  type VideoSize,
} from './mp4-boxes.ts';
import { type Mp4Sample, SampleTable } from './sample-table.ts';

/** Units of the movie's own times in a second. */
const MOVIE_RATE = 1000;

/** Seconds from 1904, where the times of MP4 begin, to 1970. */
const EPOCH_1904_S = 2_082_844_800;

const HEADERS = {
  vide: fullBox('vmhd', 0, 1, u16(0, 0, 0, 0)),
  soun: fullBox('smhd', 0, 0, u16(0, 0)),
  sbtl: fullBox('nmhd', 0, 0),
  text: box(
    'gmhd',
    fullBox('gmin', 0, 0, u16(0x40, 0x8000, 0x8000, 0x8000, 0, 0)),
    box('text', UNITY_MATRIX),
  ),
} as const;

interface TrackOptions {
  readonly kind: keyof typeof HEADERS;
  /** Units of its durations in a second. */
  readonly rate: number;
  /** Shown by players that let a viewer choose. */
  readonly name: string;
  /** Units at the front that players leave out: what an encoder of sound puts before the first sample. */
  readonly skip?: number;
  /** Whether players show the track unasked. @default true */
  readonly isEnabled?: boolean;
}

/** One track of a file. */
export class Mp4Track {
  readonly options: TrackOptions;
  readonly table = new SampleTable();
  size: VideoSize = { width: 0, height: 0 };

  constructor(options: TrackOptions) {
    this.options = options;
  }
}

/** What a file tells of itself. */
export interface Mp4Facts {
  readonly title: string;
  readonly comment: string;
  /** When the meeting began, Unix ms. */
  readonly startMs: number;
  readonly chapters: readonly Chapter[];
}

/**
 * Writes an MP4 file front to back: samples first, as they come, and the tables at the end. Memory holds the tables alone,
 * 12 bytes a sample.
 *
 * Written here because the MP4 writer that the export has otherwise (mediabunny) holds one decoder configuration per
 * track, and neither chapters nor `tx3g`. A speaker view switches between cameras, each with a configuration of its own.
 */
export class Mp4File {
  readonly #sink: FileSink;
  readonly #tracks: Mp4Track[] = [];

  private constructor(sink: FileSink) {
    this.#sink = sink;
  }

  static async create(path: string): Promise<Mp4File> {
    const sink = await FileSink.create(path);
    const brands = 'isomiso2avc1mp41';
    await sink.append(box('ftyp', Buffer.from('isom'), u32(512), Buffer.from(brands)));
    // A size of 64 bits, which `close` writes: a meeting may be larger than 4 GiB.
    await sink.append(Buffer.concat([u32(1), Buffer.from('mdat'), u64(0)]));
    return new Mp4File(sink);
  }

  addTrack(options: TrackOptions): Mp4Track {
    const track = new Mp4Track(options);
    this.#tracks.push(track);
    return track;
  }

  async add(track: Mp4Track, sample: Mp4Sample): Promise<void> {
    track.table.add(sample, this.#sink.size);
    await this.#sink.append(sample.data);
  }

  /** Completes the file. Tracks without a sample are left out. */
  async close({ title, comment, startMs, chapters }: Mp4Facts): Promise<void> {
    const endMs = Math.max(0, ...this.#tracks.map(movieDuration));
    const chapterTrack = chapters.length > 0 ? await this.#addChapters(chapters, endMs) : undefined;
    const dataEnd = this.#sink.size;
    const tracks = this.#tracks.filter(({ table }) => table.length > 0);
    const createdS = Math.max(0, Math.floor(startMs / 1000) + EPOCH_1904_S);
    const chapterId = chapterTrack && tracks.indexOf(chapterTrack) + 1;
    const traks = tracks.map((track, index) =>
      trak(track, index + 1, createdS, track === chapterTrack ? undefined : chapterId),
    );
    const header = fullBox(
      'mvhd',
      1,
      0,
      u64(createdS),
      u64(createdS),
      u32(MOVIE_RATE),
      u64(endMs),
      u32(0x10000),
      u16(0x100, 0),
      u32(0, 0),
      UNITY_MATRIX,
      Buffer.alloc(24),
      u32(tracks.length + 1),
    );
    const facts = tags({
      '©nam': title,
      '©day': new Date(startMs).toISOString(),
      '©cmt': comment,
      '©too': 'rtms-kinesis',
    });
    await this.#sink.append(
      box('moov', header, ...traks, box('udta', facts, neroChapters(chapters))),
    );
    await this.#sink.flush();
    await this.#sink.writeAt(u64(dataEnd - FTYP_BYTES), FTYP_BYTES + 8);
    await this.#sink.close();
  }

  async abort(): Promise<void> {
    await this.#sink.abort();
  }

  /** The chapters once more, as a track of text, which is where QuickTime and Safari look. */
  async #addChapters(chapters: readonly Chapter[], endMs: number): Promise<Mp4Track> {
    const track = this.addTrack({ kind: 'text', rate: 1000, name: 'Chapters', isEnabled: false });
    const entry = timedText('text');
    for (const [index, { atMs, title }] of chapters.entries()) {
      const duration = Math.max((chapters[index + 1]?.atMs ?? endMs) - atMs, 1);
      const data = Buffer.concat([textSample(title), box('encd', u32(0x100))]);
      await this.add(track, { data, duration, isKey: true, entry });
    }
    return track;
  }
}

const FTYP_BYTES = 32;

/** @returns in units of the movie */
function movieDuration({ options: { rate, skip = 0 }, table }: Mp4Track): number {
  return Math.round(((table.duration - skip) * MOVIE_RATE) / rate);
}

function trak(
  track: Mp4Track,
  id: number,
  createdS: number,
  chapterId: number | undefined,
): Buffer {
  const { kind, rate, name, skip = 0, isEnabled = true } = track.options;
  const { width, height } = track.size;
  const duration = movieDuration(track);
  const isSound = kind === 'soun';
  const hasChapters = chapterId !== undefined && (kind === 'vide' || isSound);
  return box(
    'trak',
    fullBox(
      'tkhd',
      1,
      isEnabled ? 3 : 2,
      u64(createdS),
      u64(createdS),
      u32(id, 0),
      u64(duration),
      u32(0, 0),
      // Of several tracks of sound or text a player plays one. All captions are in one group, and so on.
      u16(0, kind === 'vide' ? 0 : isSound ? 1 : 2, isSound ? 0x100 : 0, 0),
      UNITY_MATRIX,
      u32(width * 0x10000, height * 0x10000),
    ),
    box('edts', fullBox('elst', 1, 0, u32(1), u64(duration), u64(skip), u32(0x10000))),
    ...(hasChapters ? [box('tref', box('chap', u32(chapterId)))] : []),
    box(
      'mdia',
      fullBox(
        'mdhd',
        1,
        0,
        u64(createdS),
        u64(createdS),
        u32(rate),
        u64(track.table.duration),
        u16(0x55c4, 0),
      ),
      fullBox('hdlr', 0, 0, u32(0), Buffer.from(kind), u32(0, 0, 0), Buffer.from(name), u8(0)),
      box(
        'minf',
        HEADERS[kind],
        box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1))),
        track.table.toBox(),
      ),
    ),
  );
}
