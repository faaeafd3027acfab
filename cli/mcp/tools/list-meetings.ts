import { isRevoked, stateOf } from '../../../shared/session-table/session-status.ts';
import { MAX_NAME, peopleText, quote } from '../answer.ts';
import { atMost, skipOf } from '../arguments.ts';
import type { ScopedMeeting } from '../scope.ts';
import { defineTool } from '../tool.ts';

const DEFAULT_LIMIT = 20;

export const listMeetings = defineTool({
  name: 'list_meetings',
  title: 'List meetings',
  description:
    'Lists the meetings that this server may read, the newest first: id, state, when each began, and its topic where Zoom ' +
    'tells one and has not taken the consent back. The other tools take the id.',
  readOnly: true,
  required: {},
  optional: {
    only: {
      type: 'string',
      enum: ['live', 'all'],
      default: 'all',
      description: 'live: meetings that are being recorded now',
    },
    limit: atMost(200, DEFAULT_LIMIT, 'how many'),
    skip: skipOf(5_000, 'of the newest'),
  },
  async run({ only = 'all', limit = DEFAULT_LIMIT, skip = 0 }, { meetings }) {
    const nowMs = Date.now();
    // A live meeting may stand behind many that have ended.
    const most = only === 'live' ? Number.POSITIVE_INFINITY : skip + limit + 1;
    const found = (await meetings.scope.meetings(most)).map((meeting) => show(meeting, nowMs));
    const wanted = found.filter(({ state }) => only === 'all' || LIVE.includes(state));
    const shown = wanted.slice(skip, skip + limit);
    const hasMore = wanted.length > skip + limit;
    return {
      facts: { count: shown.length, hasMore, ...(hasMore && { nextSkip: skip + limit }) },
      sentences: [
        `Meetings: ${shown.length}.`,
        ...(hasMore ? [`There are more: call again with skip ${skip + limit}.`] : []),
      ],
      data: { meetings: shown },
      lines: shown.map(
        ({ id, state, beganAt = 'at an unknown time', topic }) =>
          `${id} ${state}, began ${beganAt}${topic === undefined ? '' : `, topic ${quote(topic)}`}`,
      ),
    };
  },
});

const LIVE: readonly string[] = ['serving', 'waiting'];

function show({ id, streams }: ScopedMeeting, nowMs: number) {
  const { row } = streams.at(-1) ?? {};
  const first = streams[0]?.row;
  const hasConsent = streams.every((stream) => stream.row === undefined || !isRevoked(stream.row));
  const topic = hasConsent ? (row?.topic ?? first?.topic) : undefined;
  const beganAtMs = first?.requestedAtMs;
  return {
    id: peopleText(id, 512),
    state: row === undefined ? 'unknown' : stateOf(row, nowMs),
    streams: streams.length,
    ...(row?.product !== undefined && { product: row.product }),
    ...(row?.entityId !== undefined && { uuid: peopleText(row.entityId, 512) }),
    ...(row?.meetingId !== undefined && { number: peopleText(row.meetingId, MAX_NAME) }),
    ...(beganAtMs !== undefined && { beganAt: new Date(beganAtMs).toISOString() }),
    ...(topic !== undefined && { topic: peopleText(topic, MAX_NAME) }),
  };
}
