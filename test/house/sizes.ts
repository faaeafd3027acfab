import { roomOf } from './rooms.ts';
import { isProduct, type SourceFile } from './source-files.ts';

const MOST_LINES = 300;
const REASON = 'Over 300 lines because';

/** A file with fewer lines is short: it is mostly opened together with another one, into which it then belongs. */
const SHORT_LINES = 40;
const MOST_SHORT_FILES = 9;
const MEDIAN = { least: 60, most: 150 } as const;

/** Files that have to be short, and stand alone, because something other than an import names them. */
const HAS_TO_BE_SHORT: Readonly<Record<string, string>> = {
  'cli/main.ts': 'entry point of `rtms`',
  'cli/rtms.mjs': 'entry point that package.json names',
  'console/build-page.ts': 'entry point of a program that npm runs',
  'console/page/main.tsx': 'entry point of the page',
  'functions/webhook-authorizer/handler.ts': 'the whole of a Lambda function',
  'functions/webhook-canary/handler.ts': 'entry point of a Lambda function',
  'functions/zoom-webhook/lambda-credentials.ts': 'esbuild puts it in the place of a package',
  'infra/study/pictures/main.ts': 'entry point of a program',
  'local/exit-with-parent.ts': 'loaded into every child process by its path',
  'local/kinesis/main.ts': 'entry point of a process',
  'local/lambda/thaw-with-parent.ts': 'entry point of a process',
  'local/published-manifest.mjs': 'entry point of a program that npm runs',
  'local/webhook-process.ts': 'entry point of a process',
  'runner/main.ts': "entry point of the runner's image",
  'sdk/client/callbacks/executor-worker.ts': 'entry point of a worker thread',
};

/** Files of more than 300 lines whose text does not say why. */
export function tooLong(files: readonly SourceFile[]): string[] {
  return files
    .filter(isProduct)
    .filter((file) => linesOf(file) > MOST_LINES && !file.text.includes(REASON))
    .map((file) => `${file.path}: ${linesOf(file)} lines`);
}

/** The short files, when there are ten or more; and entries of `HAS_TO_BE_SHORT` that are gone or not short any more. */
export function tooManyShort(files: readonly SourceFile[]): string[] {
  const short = files.filter(isShort).map(({ path }) => path);
  const stale = Object.keys(HAS_TO_BE_SHORT).filter((path) => !short.includes(path));
  const others = short.filter((path) => HAS_TO_BE_SHORT[path] === undefined);
  return [
    ...(others.length > MOST_SHORT_FILES ? others.map((path) => `${path}: short`) : []),
    ...stale.map((path) => `${path}: not a short file, and listed as one in test/house/sizes.ts`),
  ];
}

/** Rooms whose median file is shorter than 60 lines or longer than 150. */
export function oddRooms(files: readonly SourceFile[]): string[] {
  return [...lengthsByRoom(files)]
    .map(([room, lengths]) => ({ room, median: medianOf(lengths) }))
    .filter(({ median }) => median < MEDIAN.least || median > MEDIAN.most)
    .map(({ room, median }) => `${room}: its median file has ${median} lines`);
}

/** One line a room: how many files, their median length, and how many are short. */
export function sizesByRoom(files: readonly SourceFile[]): string[] {
  return [...lengthsByRoom(files)].map(([room, lengths]) => {
    const short = lengths.filter((length) => length < SHORT_LINES).length;
    return `${room}: ${lengths.length} files, median ${medianOf(lengths)} lines, ${short} under ${SHORT_LINES}`;
  });
}

function lengthsByRoom(files: readonly SourceFile[]): ReadonlyMap<string, number[]> {
  const rooms = new Map<string, number[]>();
  for (const file of files.filter(isProduct)) {
    const room = roomOf(file.path);
    if (room !== undefined) rooms.set(room, [...(rooms.get(room) ?? []), linesOf(file)]);
  }
  return rooms;
}

/** Of an even number of lengths, the middle between the two in the middle. */
function medianOf(lengths: readonly number[]): number {
  const sorted = [...lengths].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)] ?? 0;
  const lower = sorted[Math.ceil(sorted.length / 2) - 1] ?? 0;
  return (lower + upper) / 2;
}

function isShort(file: SourceFile): boolean {
  return isProduct(file) && roomOf(file.path) !== undefined && linesOf(file) < SHORT_LINES;
}

const linesOf = ({ lines }: SourceFile): number => lines.length - 1;
