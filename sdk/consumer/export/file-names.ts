import { join } from 'node:path';
import { type Frame, sourceKey } from '../records/frame.ts';

/** Names files by what is in them, each name once. */
export class FileNames {
  readonly #directory: string;
  readonly #used = new Map<string, number>();

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** A path without extension that no other file of this meeting has. */
  stem(name: string): string {
    const number = (this.#used.get(name) ?? 0) + 1;
    this.#used.set(name, number);
    return join(this.#directory, number === 1 ? name : `${name}-part${number}`);
  }
}

/** `audio-16778240-ada`, `video-channel-3`, `audio-mixed`: safe on every file system, whatever a name holds. */
export function fileStem(frame: Frame): string {
  const source = frame.userId === 0 ? 'mixed' : sourceKey(frame).replace(/^user /, '');
  const slug = (text: string) =>
    text
      .normalize('NFKD')
      .replace(/\p{M}+/gu, '')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '');
  const name = frame.userId === 0 ? '' : slug(frame.userName).slice(0, 40);
  const media = frame.mediaType === 'deskshare' ? 'share' : frame.mediaType;
  return [media, slug(source).slice(0, 80), name].filter((part) => part !== '').join('-');
}
