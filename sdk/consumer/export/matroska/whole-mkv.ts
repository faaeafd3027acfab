import { sourceKey } from '../../records/frame.ts';
import { behindHead, inOrder } from '../meeting-file/in-order.ts';
import type { Chapter } from '../meeting-file/mp4-boxes.ts';
import type { WrittenMedia } from '../source-files.ts';
import type { Cue } from '../text/transcript.ts';
import { type MkvFacts, MkvFile } from './mkv-file.ts';
import {
  cueBlocks,
  h264Blocks,
  imageBlocks,
  opusBlocks,
  pcmBlocks,
  type SourceBlock,
} from './mkv-sources.ts';
import type { MkvTrack } from './mkv-tracks.ts';

export interface MkvComposition extends MkvFacts {
  readonly media: readonly WrittenMedia[];
  readonly cues: readonly Cue[];
  readonly chapters: readonly Chapter[];
}

export interface MkvComposed {
  readonly tracks: number;
  /** Files that are not in it, or not whole. */
  readonly unread: readonly { readonly path: string }[];
}

interface Source {
  readonly name: string;
  readonly path: string;
  readonly blocks: AsyncGenerator<SourceBlock, void, undefined>;
}

/**
 * Writes one file that has every camera, share and voice as a track of its own, as the files of the single sources hold them,
 * and the transcript as subtitles. Nothing is encoded. A file that cannot be read any further is left there, and named.
 *
 * @returns undefined when there is nothing to write
 */
export async function composeMatroska(
  path: string,
  { media, cues, chapters, ...facts }: MkvComposition,
): Promise<MkvComposed | undefined> {
  const unread: { path: string }[] = [];
  const sources = [...sourcesOf(media), { name: 'Transcript', path: '', blocks: cueBlocks(cues) }];
  const readers = sources.map(({ path, blocks }) =>
    untilBroken(blocks, () => unread.push({ path })),
  );
  let file: MkvFile | undefined;
  try {
    // The first block of each tells how its track is decoded, which stands before all blocks.
    const heads = await Promise.all(readers.map((reader) => reader.next()));
    const tracks: MkvTrack[] = [];
    const blocks: AsyncGenerator<SourceBlock & { track: number }, void, undefined>[] = [];
    for (const [index, { value: head, done }] of heads.entries()) {
      if (done || !head) continue;
      const { name } = sources[index] as Source;
      blocks.push(onTrack(tracks.length, behindHead(head, readers[index] as Source['blocks'])));
      tracks.push({ codec: head.codec, name });
    }
    if (tracks.length === 0) return undefined;
    file = await MkvFile.create(path, facts, tracks);
    let endMs = 0;
    for await (const block of inOrder(blocks)) {
      await file.add(block);
      endMs = Math.max(endMs, block.atMs + block.lengthMs);
    }
    await file.close(
      chapters.filter(({ atMs }) => atMs < endMs),
      endMs,
    );
    return { tracks: tracks.length, unread };
  } catch (error) {
    await file?.abort().catch(() => undefined);
    throw error;
  } finally {
    await Promise.allSettled(readers.map((reader) => reader.return()));
  }
}

/** Cameras first, then shares, then voices: a player begins with the first of each kind. */
function sourcesOf(media: readonly WrittenMedia[]): Source[] {
  const videos = new Map<string, WrittenMedia[]>();
  const others: Source[] = [];
  for (const file of media) {
    const { path, mediaType, codec, isMix, isOnClock } = file;
    const key = `${mediaType} ${sourceKey(file)}`;
    if (file.beginsAtMs !== undefined) videos.set(key, [...(videos.get(key) ?? []), file]);
    else if (codec === 'JPG' || codec === 'PNG') {
      const blocks = imageBlocks(path, codec === 'JPG' ? 'jpg' : 'png');
      others.push({ name: nameOf(file), path, blocks });
    } else if (mediaType === 'audio' && isOnClock && !isMix) {
      const blocks = path.endsWith('.wav') ? pcmBlocks(path) : opusBlocks(path);
      others.push({ name: nameOf(file), path, blocks });
    }
  }
  const pictures = [...videos.values()].flatMap((files) => {
    const [first] = files;
    if (!first) return [];
    const blocks = h264Blocks(
      files.map((file) => ({
        path: file.path,
        source: sourceKey(file),
        isShare: file.mediaType === 'deskshare',
        beginsAtMs: file.beginsAtMs ?? 0,
      })),
    );
    return [
      { name: nameOf(first), path: first.path, blocks, isShare: first.mediaType === 'deskshare' },
    ];
  });
  return [
    ...pictures.filter(({ isShare }) => !isShare),
    ...pictures.filter(({ isShare }) => isShare),
    ...others,
  ];
}

function nameOf(file: WrittenMedia): string {
  const { mediaType, userName, userId, codec } = file;
  const who = userName || (userId === 0 ? 'Everybody' : sourceKey(file)) || 'Somebody';
  // What a file decoded had another codec when it came.
  const came = mediaType === 'audio' && (codec === 'G711' || codec === 'G722') ? ` (${codec})` : '';
  return `${who}${{ audio: '', video: ', camera', deskshare: ', share' }[mediaType]}${came}`;
}

async function* untilBroken(blocks: Source['blocks'], onBroken: () => void): Source['blocks'] {
  try {
    yield* blocks;
  } catch {
    onBroken();
  }
}

async function* onTrack(track: number, blocks: Source['blocks']) {
  for await (const block of blocks) yield { ...block, track };
}
