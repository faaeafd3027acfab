import type { ErrorCode } from '../../../shared/errors.ts';
import { ServiceError } from '../../../shared/errors.ts';
import type { LedgerMediaType } from '../../../shared/record/event-data.ts';
import { type FrameSource, sourceKey } from '../records/frame.ts';

/** Frames or lines that are in no file: one entry for each source and reason. */
export interface LeftOut extends FrameSource {
  readonly mediaType: LedgerMediaType;
  /** A file of the whole meeting that could not be written. Absent for frames of one source. */
  readonly file?: string;
  /** `export/unsupported` for what no file can hold, otherwise the code or name of the error, such as `ENOSPC`. */
  readonly code: ErrorCode | string;
  /** The reason in words. */
  readonly why: string;
  count: number;
}

/** Counts the frames that could not be written. One such frame ends nothing, and is still told. */
export class LeftOutFrames {
  readonly #entries = new Map<string, LeftOut>();

  add(
    frame: Pick<LeftOut, keyof FrameSource | 'mediaType' | 'file'>,
    error: unknown,
    count = 1,
  ): void {
    const { mediaType, file, userId, channelId } = frame;
    const { code, why } = reasonOf(error);
    const key = [mediaType, file, sourceKey(frame), code, why].join('\n');
    const entry = this.#entries.get(key);
    if (entry) entry.count += count;
    else {
      this.#entries.set(key, {
        mediaType,
        ...(file !== undefined && { file }),
        ...(userId !== undefined && { userId }),
        ...(channelId !== undefined && { channelId }),
        code,
        why,
        count,
      });
    }
  }

  get all(): readonly LeftOut[] {
    return [...this.#entries.values()];
  }
}

/** Whether the file system refused a write, after which the file cannot become complete. */
export function isFileError(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).syscall !== undefined;
}

function reasonOf(error: unknown): { code: string; why: string } {
  if (error instanceof ServiceError) {
    return { code: error.code, why: error.message.replace(`[${error.code}] `, '') };
  }
  if (!(error instanceof Error)) return { code: 'unknown', why: String(error) };
  const code = (error as NodeJS.ErrnoException).code ?? error.name;
  // The message is left out: those of the file system have the path, and those of a library may have anything.
  const words = WORDS[code] ?? 'the file could not be written';
  return { code, why: `${words} (${code})` };
}

/** What the errors mean that a reader of a manifest can mend. */
const WORDS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space is left where it is written',
  EDQUOT: 'no space is left for this user where it is written',
  EACCES: 'this user may not write it',
  EPERM: 'this user may not write it',
  EROFS: 'the file system takes no writes',
  EISDIR: 'a folder has its name',
  ERR_FS_EISDIR: 'a folder has its name',
  EMFILE: 'this process has too many open files',
  ERR_MODULE_NOT_FOUND: 'a package that it needs is not installed',
};
