import { type Answer, peopleText, showLine, writeLine } from './answer.ts';
import type { MeetingLine } from './line.ts';
import { nextPage, type PageLimits, positionsBeforeLast } from './line-page.ts';
import { type MarkPositions, readMark, writeMark } from './mark.ts';
import type { OpenMeeting } from './meetings.ts';
import type { Scope } from './scope.ts';

/** Characters of people in one answer: about 10,000 tokens. */
const MAX_CHARACTERS = 40_000;
export const MAX_LINES = 500;
export const DEFAULT_LINES = 100;

/** Which lines of a meeting a client asks for. */
export interface LinesAsked {
  readonly mark?: string | undefined;
  /** The newest lines alone; only without a mark. */
  readonly last?: number | undefined;
  readonly limit?: number | undefined;
  readonly isWanted: (line: MeetingLine) => boolean;
}

/** The lines of a meeting behind a mark, with the mark to go on. @throws ServiceError `mcp/bad-argument`, `export/revoked` */
export function readLines(meeting: OpenMeeting, scope: Scope, asked: LinesAsked): Answer {
  const { log, id, isUpToDate } = meeting;
  // `lines` refuses a meeting whose consent was taken back, so it is read before anything is told.
  const streams = log.lines;
  const isWanted = (line: MeetingLine) => scope.includes(line) && asked.isWanted(line);
  const { mark, last, limit = DEFAULT_LINES } = asked;
  const after: MarkPositions =
    mark !== undefined
      ? readMark(mark, id)
      : last === undefined
        ? new Map()
        : positionsBeforeLast(streams, isWanted, last);
  const limits: PageLimits = { lines: limit, characters: MAX_CHARACTERS };
  const { lines, positions, hasMore } = nextPage(streams, after, isWanted, limits);
  const nextMark = writeMark(id, positions);
  const shown = lines.map(showLine);
  return {
    facts: {
      meeting: peopleText(id, 512),
      count: shown.length,
      hasMore,
      isUpToDate,
      nextMark,
      ...(log.dropped > 0 && { droppedLines: log.dropped }),
    },
    sentences: [
      ...(shown.length === 0 ? ['No such line.'] : []),
      ...(isUpToDate ? [] : ['The records are still being read: call again for newer lines.']),
      ...(log.dropped > 0 ? [`The ${log.dropped} oldest lines did not fit into memory.`] : []),
      `${hasMore ? 'There are more lines. ' : ''}Mark to go on: ${nextMark}`,
    ],
    data: { lines: shown },
    lines: shown.map(writeLine),
  };
}
