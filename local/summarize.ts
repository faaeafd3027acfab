import { statSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { describeLoss, describeLosses, judge, type LedgerReport } from '../sdk/consumer/index.ts';
import type { SentReport } from '../simulator/sent-ledger.ts';
import { fromHere, type WrittenFiles } from './observe/meeting-files.ts';
import type { ReadSource, StreamStats } from './observe/stream-stats.ts';
import type { ReportRow, Summary } from './report/reporter.ts';

/** The media and lines that the simulator says it sent. */
interface SentMedia extends Pick<SentReport, 'transcript' | 'chat'> {
  readonly sources: readonly Omit<SentReport['sources'][number], 'uncertain' | 'notSent'>[];
}

const FILE_KINDS: Readonly<Record<string, string>> = {
  '.wav': 'audio',
  '.ogg': 'audio',
  '.mp4': 'video',
  '.vtt': 'captions',
  '.srt': 'captions',
  '.txt': 'transcript',
};
/** What the documents of a meeting hold, where the ending of the name does not tell. */
const DOCUMENT_KINDS: Readonly<Record<string, string>> = {
  'chat.jsonl': 'chat',
  'events.jsonl': 'events',
  'manifest.json': 'manifest',
  'meeting.mkv': 'meeting',
  'meeting.mp4': 'meeting',
  'participants.json': 'participants',
  'speakers.rttm': 'speakers',
  'transcript.jsonl': 'transcript',
};

const MEDIA_ORDER = ['audio', 'video', 'deskshare', 'transcript', 'chat', 'events'];

/**
 * Makes the report of a run: the ledger that the two streams prove, what contradicts it, and the files.
 *
 * @param sent what the simulator sent, where one played: what was read must be the same, byte for byte, unless the
 *   streams report a loss
 */
export function summarize(
  ledger: LedgerReport,
  stats: StreamStats,
  written: readonly WrittenFiles[],
  sent?: SentMedia,
): Summary {
  const { losses } = ledger;
  const names = new Map<string, string>();
  for (const { rtmsStreamId, userId, userName } of stats.sources.values()) {
    if (userName !== '') names.set(`${rtmsStreamId} ${userId}`, userName);
  }
  const rows = ledger.sources.toSorted(byMediaType).map(
    (source): ReportRow => ({
      mediaType: source.mediaType,
      source: sourceName(source.userId, source.channelId, names, source.rtmsStreamId),
      received: source.received ?? source.found,
      written: source.written ?? source.found,
      lost: source.lost ?? source.missingCount,
    }),
  );
  const problems = [
    ...ledger.problems,
    ...(sent && losses.length === 0 ? differences(sent, [...stats.sources.values()]) : []),
  ];
  return {
    meetings: new Set(ledger.sources.map(({ rtmsStreamId }) => rtmsStreamId)).size,
    ledger: rows,
    lost: rows.reduce((sum, row) => sum + row.lost, 0),
    verdict: judge(problems, losses),
    lostInWords: describeLosses(losses),
    losses: losses.map(describeLoss),
    problems,
    files: written.flatMap(({ paths }) => paths).map(describeFile),
    notes: written.flatMap(({ notes }) => notes),
  };
}

function byMediaType(left: { mediaType: string }, right: { mediaType: string }): number {
  return MEDIA_ORDER.indexOf(left.mediaType) - MEDIA_ORDER.indexOf(right.mediaType);
}

/**
 * Compares what was read with what the simulator sent, per source: number of frames, and SHA-256 of all their bytes.
 *
 * @returns one sentence for each difference
 */
export function differences(sent: SentMedia, read: readonly ReadSource[]): string[] {
  const problems: string[] = [];
  if (sent.sources.every(({ frames }) => frames === 0)) problems.push('Zoom could send nothing');
  for (const source of sent.sources) {
    const found = read.find(
      ({ mediaType, userId, channelId }) =>
        mediaType === source.mediaType &&
        (source.channelId === undefined
          ? userId === source.userId
          : channelId === source.channelId),
    );
    const where = `${source.mediaType} ${source.channelId ?? source.userId}`;
    if (source.frames !== (found?.frames ?? 0)) {
      problems.push(`${where}: ${source.frames} frames sent, ${found?.frames ?? 0} read`);
    } else if (found && found.hash.copy().digest('hex') !== source.sha256) {
      problems.push(`${where}: the bytes read are not the bytes sent`);
    }
  }
  return problems;
}

function sourceName(
  userId: number | undefined,
  channelId: string | undefined,
  names: ReadonlyMap<string, string>,
  rtmsStreamId: string,
): string {
  if (channelId !== undefined) return `channel ${channelId}`;
  if (userId === undefined) return 'all';
  return names.get(`${rtmsStreamId} ${userId}`) ?? (userId === 0 ? 'mixed' : `user ${userId}`);
}

function describeFile(path: string): Summary['files'][number] {
  const stats = statSync(path);
  const what = stats.isDirectory()
    ? 'pictures'
    : `${DOCUMENT_KINDS[basename(path)] ?? FILE_KINDS[extname(path)] ?? 'file'}, ${Math.ceil(stats.size / 1024)} KiB`;
  return { path: fromHere(path), what };
}
