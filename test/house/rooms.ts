import { importsOf, isProduct, type SourceFile } from './source-files.ts';

/** The rooms, and the rooms that each of them may import. What is not listed may import nothing of ours. */
export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  'rtms/protocol': ['shared'],
  'shared/record': ['shared', 'rtms/protocol', 'shared/zoom'],
  'shared/zoom': ['shared', 'rtms/protocol'],
  'shared/session-table': ['shared', 'rtms/protocol', 'shared/zoom', 'shared/record'],
  'rtms/api': ['shared', 'shared/zoom', 'rtms/protocol'],
  'rtms/wire': ['shared'],
  'rtms/connection': ['shared', 'rtms/protocol', 'rtms/wire'],
  rtms: ['shared', 'rtms/protocol', 'rtms/wire', 'rtms/connection'],
  'runner/kinesis': ['shared', 'shared/record'],
  'runner/task': [
    'shared',
    'shared/record',
    'shared/session-table',
    'shared/zoom',
    'rtms/protocol',
  ],
  'runner/ownership': ['shared', 'shared/*', 'rtms/protocol', 'runner/task'],
  'runner/session': [
    'shared',
    'shared/*',
    'rtms',
    'rtms/*',
    'runner/kinesis',
    'runner/ownership',
    'runner/task',
  ],
  runner: ['shared', 'shared/*', 'rtms', 'rtms/*', 'runner/*'],
  'sdk/client': ['shared', 'shared/zoom', 'rtms', 'rtms/*'],
  'sdk/consumer': ['shared', 'shared/*', 'rtms/protocol'],
  simulator: ['shared', 'shared/zoom', 'rtms/protocol'],
  functions: ['shared', 'shared/*', 'rtms/protocol'],
  'functions/session-catcher': [
    'shared',
    'shared/*',
    'runner',
    'runner/ownership',
    'runner/session',
    'runner/task',
  ],
  'functions/synthetic-meeting': ['shared', 'shared/*', 'simulator', 'sdk/consumer', 'functions'],
  'functions/archiver': ['shared', 'shared/*', 'sdk/consumer', 'functions'],
  infra: ['shared', 'shared/*', 'rtms/protocol', 'infra/bundling'],
  'infra/bundling': ['shared'],
  console: ['shared', 'shared/*', 'rtms/protocol', 'sdk/consumer'],
  local: [
    'console',
    'shared',
    'shared/*',
    'rtms/protocol',
    'sdk/consumer',
    'functions',
    'simulator',
    'infra/bundling',
  ],
  cli: ['console', 'shared', 'shared/*', 'rtms/protocol', 'rtms/api', 'sdk/consumer', 'simulator'],
};

/** The room a file stands in: the longest name that its path begins with. */
export function roomOf(path: string): string | undefined {
  return Object.keys(ROOMS)
    .filter((room) => path.startsWith(`${room}/`))
    .sort((a, b) => b.length - a.length)[0];
}

/** Imports that the table does not allow, as `file imports file`: of a room, or of what is no room, as `test/` and `docs/`. */
export function forbiddenArrows(files: readonly SourceFile[]): string[] {
  return files.filter(isProduct).flatMap((file) => {
    const from = roomOf(file.path);
    if (from === undefined) return [];
    return importsOf(file)
      .filter((target) => !mayImport(from, roomOf(target)))
      .map((target) => `${file.path} imports ${target}`);
  });
}

/** Rooms that may import each other, over other rooms or at once, as `room, room`. */
export function circles(): string[] {
  const rooms = Object.keys(ROOMS);
  const reached = (from: string, seen = new Set<string>()): ReadonlySet<string> => {
    for (const to of rooms) {
      if (to === from || seen.has(to) || !mayImport(from, to)) continue;
      seen.add(to);
      reached(to, seen);
    }
    return seen;
  };
  const reach = new Map(rooms.map((room) => [room, reached(room)]));
  return rooms.flatMap((room) =>
    rooms
      .filter((other) => other > room && reach.get(room)?.has(other) && reach.get(other)?.has(room))
      .map((other) => `${room}, ${other}`),
  );
}

function mayImport(from: string, to: string | undefined): boolean {
  if (to === from) return true;
  if (to === undefined) return false;
  const allowed = ROOMS[from] ?? [];
  return allowed.includes(to) || (allowed.includes(`${to.split('/')[0]}/*`) && to.includes('/'));
}
