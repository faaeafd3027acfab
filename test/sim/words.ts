import type { HistoryEvent } from './history.ts';

/** One event of the history as a line for people. @param startMs when the run began */
export function sayEvent(event: HistoryEvent, startMs: number): string {
  const seconds = ((event.atMs - startMs) / 1_000).toFixed(3).padStart(10);
  return `${String(event.step).padStart(8)} ${seconds} s  ${wordsOf(event)}`;
}

export interface EndedRun {
  readonly seed: number;
  /** Rooms. */
  readonly meetings: number;
  readonly hours: number;
  readonly meetingHours: number;
  readonly frames: number;
  readonly faults: number;
  readonly wallSeconds: number;
  /** Of all threads, user and system. */
  readonly cpuSeconds: number;
  readonly problems: number;
  readonly hash: string;
}

/** What was played, and the last line, by which two runs are compared. */
export function sayEnd(run: EndedRun): string {
  const { seed, meetings, hours, meetingHours, frames, faults, problems, hash } = run;
  const { cpuSeconds, wallSeconds } = run;
  const perMinute = ((meetingHours * 60) / cpuSeconds).toFixed(0);
  return (
    `played meeting_hours=${meetingHours.toFixed(1)} frames=${frames} faults=${faults} ` +
    `cpu_s=${cpuSeconds.toFixed(1)} meeting_hours_per_cpu_minute=${perMinute}\n` +
    `sim seed=${seed} meetings=${meetings} virtual_hours=${hours} wall_s=${wallSeconds.toFixed(1)} ` +
    `problems=${problems} hash=${hash}`
  );
}

const COMMAND_CHARACTERS = 400;

function wordsOf(event: HistoryEvent): string {
  switch (event.kind) {
    case 'process':
      return `${event.process} ${event.what}`;
    case 'row':
      return `${event.process} ${event.op} of ${event.row} (call ${event.call}) ${event.phase}${rowDetail(event)}`;
    case 'record': {
      const [first] = event.units;
      const what = event.units.map(({ type, sequence }) => `${type} ${sequence}`).join(', ');
      return `${event.process} wrote to ${event.stream}: epoch ${first?.epoch}, ${what.slice(0, 200)}${event.told ? '' : ' (not told)'}`;
    }
    case 'frame':
      return `Zoom ${event.notSent ? `keeps back (${event.notSent})` : `sends on socket ${event.socket}`} ${event.mediaType} of ${event.source} at ${event.capturedAtMs}`;
    case 'line':
      return `Zoom ${event.socket === undefined ? 'has nobody to send' : `sends on socket ${event.socket}`} "${event.text}" of ${event.source}`;
    case 'socket':
      return `socket ${event.socket} (${event.role}) of ${event.process} ${event.what}`;
    case 'stream':
      return `stream ${event.rtmsStreamId} ${event.what}${event.stopReason === undefined ? '' : `, reason ${event.stopReason}`}`;
    case 'webhook':
      return `webhook ${event.event} of ${event.rtmsStreamId} answered ${event.status ?? 'with nothing'}`;
    case 'restart':
      return `${event.process} asks Zoom for a stream of ${event.entityId}: ${event.status}`;
    case 'fault':
      return `fault ${event.fault}: ${event.words}`;
    case 'held':
      return `${event.process} holds ${event.sessions} sessions, ${event.timers} timers, ${event.sockets} sockets`;
    case 'table':
      return `the table has ${event.rows.length} rows, its index ${event.indexed.length}`;
    case 'end':
      return 'the run is over';
  }
}

function rowDetail({
  met,
  after,
  image,
  error,
  command,
}: Extract<HistoryEvent, { kind: 'row' }>): string {
  if (error !== undefined) return `: ${error}`;
  if (command !== undefined) {
    const { update = '', condition = 'always', values = {} } = command;
    return `: ${update} if ${condition} with ${JSON.stringify(values)}`.slice(
      0,
      COMMAND_CHARACTERS,
    );
  }
  if (met === false) return ', condition not met';
  const row = after ?? image;
  if (row === undefined) return '';
  const { owner, epoch, endedReason, stopReason } = row as Record<string, unknown>;
  return `: ${JSON.stringify({ owner, epoch, endedReason, stopReason })}`;
}
