import type { EventData } from '../../shared/record/event-data.ts';
import type { MissReason } from '../../shared/record/session-causes.ts';
import { UNOWNED } from '../../shared/session-table/session-row.ts';
import type { MeetingEvidence, StreamEvidence } from './meeting-evidence.ts';

/** Runbook headings are cited as they are: they are also names of alarms. */
const MISSED: Readonly<Record<MissReason, string>> = {
  address_refused:
    'Zoom named a host that is not on the allow-list. If it is Zoom’s, add it to zoom.allowedHosts.',
  no_credentials:
    'Put the client id and secret of this app into the Zoom secret, then: rtms preflight',
  refused:
    'Compare client id and secret in the Zoom secret with the app in the Zoom Marketplace (runbook, "Meetings missed").',
  not_connected:
    'Look whether the runners reach Zoom: rtms preflight, and the runners’ log of that time.',
  came_too_late:
    'Zoom’s webhook came late: look for failed deliveries of that time (runbook, "Webhook errors").',
  no_room:
    'Give the service more room: raise runner.minTasks or headroomSlots (runbook, "Slots running out").',
  stopped_first: 'Nothing: Zoom ended the stream before anybody could have recorded it.',
  revoked: 'Nothing: nothing of this stream was stored.',
  operator_stop: 'Nothing: somebody with rtms ended it.',
  defect: 'Report it, with the runners’ log of that time (runbook, "Streams quarantined").',
  start_failed:
    'Zoom made no stream: look at reason in the event, and whether the app is enabled for the host.',
  concurrency_limited:
    'The account had no stream left: ask Zoom for more, or record fewer meetings at once (runbook, "Zoom concurrency limit").',
  not_announced:
    'The meeting was live and Zoom sent no webhook: is the app enabled for its host, and the event subscription valid? (docs/zoom-app.md)',
};

const RESTART_REFUSED: Readonly<Record<string, string>> = {
  not_allowed:
    'Zoom lets nobody start the stream: somebody who may use the app has to be in the meeting.',
  scope_missing:
    'Add the missing scope to the API app in the Zoom Marketplace, and activate it again.',
  credentials_invalid: 'Put valid API credentials into the Zoom secret (apps.<name>.api).',
};

const OUR_FAULT: readonly string[] = ['buffer_full', 'spool_full', 'write_failed'];

/** What somebody can do about a meeting, most urgent first; one sentence each. */
export function adviceFor(
  { streams, report }: MeetingEvidence,
  meeting: {
    readonly isLive: boolean;
    readonly entityId: string | undefined;
    readonly nowMs: number;
  },
): string[] {
  const events = streams.flatMap((stream) => stream.events);
  const causes = new Set(report.losses.map(({ cause }) => cause));
  const advice = new Set<string>();
  if (report.revoked.length > 0) {
    advice.add('Delete what is stored of it: Zoom took the consent back.');
  }
  if (report.problems.length > 0) {
    const id = streams.at(-1)?.rtmsStreamId ?? '';
    advice.add(`Report this as a defect, with the output of: rtms verify ${id} --json`);
  }
  const last = events.at(-1);
  for (const event of events) {
    if (event.name === 'session_missed') advice.add(MISSED[event.data.reason] ?? '');
    if (event.name === 'session_restart' && event.data.outcome === 'refused') {
      advice.add(RESTART_REFUSED[event.data.reason ?? ''] ?? '');
    }
    if (planOf(event) === 'no_credentials') {
      advice.add(
        'Put API credentials into the Zoom secret (apps.<name>.api): Zoom is then asked again by itself.',
      );
    }
  }
  const wasCutShort = last?.name === 'session_ended' && last.data.restartable;
  if (wasCutShort && !meeting.isLive && meeting.entityId !== undefined) {
    advice.add(`If the meeting still runs: rtms start ${quoted(meeting.entityId)}`);
  }
  if (causes.has('owner_lost')) {
    advice.add('Find out why the runner was lost: its log, and the runbook, "Runner lost".');
  }
  if (OUR_FAULT.some((cause) => causes.has(cause))) {
    advice.add('Look at Kinesis and the runners’ disk at that time (runbook, "Frames lost").');
  }
  if (causes.has('handed_over')) {
    advice.add(
      'The change of runner needs nothing: each costs a moment of all but audio (docs/consume.md).',
    );
  }
  if (streams.some(({ row }) => row !== undefined && isWaiting(row, meeting.nowMs))) {
    advice.add(
      'It waits for room: rtms sessions shows the free slots (runbook, "Meetings waiting").',
    );
  }
  advice.delete('');
  return advice.size === 0 ? ['Nothing.'] : [...advice];
}

function planOf(event: StreamEvidence['events'][number]): EventData['session_ended']['restart'] {
  return event.name === 'session_ended' || event.name === 'session_missed'
    ? event.data.restart
    : undefined;
}

function isWaiting(
  { owner, requestedAtMs = 0, endedReason }: NonNullable<StreamEvidence['row']>,
  nowMs: number,
) {
  return owner === UNOWNED && endedReason === undefined && nowMs - requestedAtMs > 5_000;
}

/** Quotes an id, if it needs that, so that a shell takes it as one word. */
function quoted(id: string): string {
  return /^[\w=+.-]+$/.test(id) ? id : `'${id.replaceAll("'", "'\\''")}'`;
}
