import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { describeVerdict } from '../../../sdk/consumer/index.ts';
import { ServiceError } from '../../../shared/errors.ts';
import { folderNameOf } from '../../../shared/plain-text.ts';
import type { Context } from '../../command.ts';
import { sourcesInKinesis, writeMeetingFiles } from '../../meeting/meeting-files.ts';
import { peopleText } from '../answer.ts';
import { MEETING, momentArgument } from '../arguments.ts';
import { defineTool } from '../tool.ts';

/** Exports of one meeting that may stand beside each other. */
const MOST_FOLDERS = 100;
/** Files that an answer names. A meeting of thousands has one for each speaker. */
const MAX_FILES = 200;

export const exportMeeting = defineTool({
  name: 'export_meeting',
  title: 'Export a meeting as files',
  description:
    'Writes a meeting as files on the machine of this server: WAV, MP4, WebVTT and JSON, into a new folder below the one ' +
    'that its operator has named. Reads all media, so a long meeting takes minutes. Nothing is overwritten.',
  readOnly: false,
  required: { meeting: MEETING },
  optional: {
    from: momentArgument('leave out what was captured before'),
    to: momentArgument('leave out what was captured at this moment or later'),
  },
  async run({ meeting, from, to }, { meetings, signal, folder }) {
    if (folder === undefined) {
      throw new ServiceError('cli/refused', 'this server writes no files: it has no --folder');
    }
    const { scope, context } = meetings;
    const window = readWindow(from, to, scope.sinceMs);
    const { id, streams } = await scope.meeting(meeting);
    const reading: Context = { ...context, signal: AbortSignal.any([context.signal, signal]) };
    let directory = '';
    const sources = sourcesInKinesis(reading, streams, window);
    const written = await writeMeetingFiles(reading, sources, {
      ...window,
      directory: async () => {
        directory = await newFolder(folder, folderNameOf(id));
        return directory;
      },
      fillGaps: true,
      evenRevoked: false,
    });
    if (written === undefined) throw new ServiceError('cli/refused', 'the export was cancelled');
    const { files, frames, startMs, notes, report } = written;
    const { verdict } = report;
    const zero = new Date(startMs).toISOString();
    const told = [...notes, ...describeVerdict(report)].slice(0, MAX_FILES);
    const shown = files.slice(0, MAX_FILES).map((file) => peopleText(file, 1_024));
    return {
      facts: {
        meeting: peopleText(id, 512),
        directory,
        files: files.length,
        frames,
        verdict,
        timeZero: zero,
      },
      sentences: [
        `${files.length} files in ${directory}; ${frames} frames; time zero of all files is ${zero}.`,
        `Verdict: ${verdict}.`,
      ],
      data: { files: shown, notes: told.map((note) => peopleText(note)) },
      lines: [...shown, ...told.map((note) => peopleText(note))],
    };
  },
});

function readWindow(from: string | undefined, to: string | undefined, sinceMs: number) {
  const [fromMs, toMs] = [parseMoment('from', from), parseMoment('to', to)];
  const earliest = Math.max(fromMs ?? Number.NEGATIVE_INFINITY, sinceMs);
  if (toMs !== undefined && toMs <= earliest) {
    throw new ServiceError('mcp/bad-argument', 'to must be later than from, and in the scope');
  }
  return { fromMs: Number.isFinite(earliest) ? earliest : undefined, toMs };
}

function parseMoment(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  throw new ServiceError('mcp/bad-argument', `${name} is no moment: write 2026-11-22T10:00:00Z`);
}

/** Makes a folder that was not there: what is there, a link too, is never written through. */
async function newFolder(parent: string, name: string): Promise<string> {
  const base = await realpath(parent);
  for (let number = 1; number <= MOST_FOLDERS; number++) {
    const path = join(base, number === 1 ? name : `${name}-${number}`);
    try {
      await mkdir(path);
      return path;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  throw new ServiceError(
    'cli/refused',
    `there are ${MOST_FOLDERS} exports of this meeting already`,
  );
}
