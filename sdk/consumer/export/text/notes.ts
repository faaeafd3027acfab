import type { Adjusted } from '../exporter.ts';
import type { LeftOut } from '../left-out.ts';

/** How the files of an export differ from what Zoom sent. */
export interface Differences {
  readonly skippedPictures: ReadonlyMap<string, number>;
  readonly leftOut: readonly LeftOut[];
  readonly adjusted: ReadonlyMap<string, Adjusted>;
}

/**
 * Tells each difference in one sentence.
 *
 * @param nameOf how the sentences name a path
 */
export function describeExport(
  { skippedPictures, leftOut, adjusted }: Differences,
  nameOf: (path: string) => string,
): string[] {
  return [
    ...[...skippedPictures].map(
      ([path, count]) =>
        `${nameOf(path)} lacks ${counted(count, 'picture')} that no decoder can begin with, before a key frame; Kinesis has them`,
    ),
    ...leftOut.map(({ mediaType, file, userId, channelId, count, why }) => {
      if (file !== undefined)
        return `${file} was not written: ${why}; the files of the single sources are there`;
      const source = userId ?? channelId;
      const whose = source === undefined ? mediaType : `${mediaType} ${source}`;
      return `${count} of ${whose} in no file: ${why}`;
    }),
    ...[...adjusted].flatMap(([path, { cutMs, moved }]) => [
      ...(cutMs > 0
        ? [
            `${nameOf(path)} is without ${cutMs} ms that came twice or lie before time zero: nothing is lost by that`,
          ]
        : []),
      ...(moved > 0
        ? [
            `${nameOf(path)} has ${counted(moved, 'frame')} not at the capture time, which does not fit to the frames around`,
          ]
        : []),
    ]),
  ];
}

function counted(count: number, what: string): string {
  return count === 1 ? `1 ${what}` : `${count} ${what}s`;
}
