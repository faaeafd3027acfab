import type { ErrorCode } from '../../../shared/errors.ts';
import { ServiceError } from '../../../shared/errors.ts';
import type { LedgerMediaType } from '../../../shared/record/event-data.ts';
import { type FrameSource, sourceKey } from '../records/frame.ts';

/** Frames or lines that are in no file: one entry for each source and reason. */
export interface LeftOut extends FrameSource {
  readonly mediaType: LedgerMediaType;
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
    frame: FrameSource & { readonly mediaType: LedgerMediaType },
    error: unknown,
    count = 1,
  ): void {
    const { mediaType, userId, channelId } = frame;
    const { code, why } = reasonOf(error);
    const key = [mediaType, sourceKey(frame), code, why].join('\n');
    const entry = this.#entries.get(key);
    if (entry) entry.count += count;
    else {
      this.#entries.set(key, {
        mediaType,
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
  return { code, why: code === error.name ? 'the file could not be written' : code };
}
