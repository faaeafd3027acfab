import type { ErrorCode } from '../../../shared/errors.ts';
import { ServiceError } from '../../../shared/errors.ts';
import type { LedgerMediaType } from '../../../shared/record/event-data.ts';
import { type FrameSource, sourceKey } from '../records/frame.ts';

/** Frames or lines that stand in no file, and why: one entry for each source and reason. */
export interface LeftOut extends FrameSource {
  readonly mediaType: LedgerMediaType;
  /** `export/unsupported` for what cannot be written; else the name of the error, such as `ENOSPC`. */
  readonly code: ErrorCode | string;
  /** In words. */
  readonly why: string;
  count: number;
}

/** Counts what could not be written, so that one frame ends nothing and is still told. */
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

/** Did the file system refuse, so that the file as a whole is not what it should be? */
export function isFileError(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).syscall !== undefined;
}

function reasonOf(error: unknown): { code: string; why: string } {
  if (error instanceof ServiceError) {
    return { code: error.code, why: error.message.replace(`[${error.code}] `, '') };
  }
  if (!(error instanceof Error)) return { code: 'unknown', why: String(error) };
  const code = (error as NodeJS.ErrnoException).code ?? error.name;
  // Messages of the file system name the path, and those of a library may hold anything.
  return { code, why: code === error.name ? 'the file could not be written' : code };
}
