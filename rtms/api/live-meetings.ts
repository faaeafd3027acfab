import { cutText, INPUT_LIMITS, isId } from '../../shared/input-limits.ts';
import { keepLongIntegers } from '../protocol/parse-message.ts';

/** A meeting that Zoom says is live. */
export interface LiveMeeting {
  readonly uuid: string;
  /** The number that people dial. */
  readonly meetingId?: string;
  readonly topic?: string;
  /** The host's e-mail address. */
  readonly email?: string;
  /** Unix ms; absent where Zoom gives no time that can be read. */
  readonly startedAtMs?: number;
}

/** @returns undefined for a body that is no such list. An entry without a UUID cannot be asked for and is left out. */
export function readLiveMeetings(
  kind: 'meetings' | 'webinars',
  body: string,
): { meetings: LiveMeeting[]; nextPageToken?: string } | undefined {
  try {
    const page = JSON.parse(body, keepLongIntegers);
    const list: unknown = page?.[kind];
    if (!Array.isArray(list)) return undefined;
    const nextPageToken: unknown = page.next_page_token;
    return {
      meetings: list.flatMap((entry) => readMeeting(entry)),
      ...(typeof nextPageToken === 'string' && nextPageToken !== '' && { nextPageToken }),
    };
  } catch {
    return undefined;
  }
}

function readMeeting(entry: unknown): LiveMeeting[] {
  const { uuid, id, topic, email, start_time } = (entry ?? {}) as Readonly<Record<string, unknown>>;
  if (!isId(uuid)) return [];
  const meetingId = Number.isFinite(id) ? String(id) : id;
  const startedAtMs = typeof start_time === 'string' ? Date.parse(start_time) : Number.NaN;
  return [
    {
      uuid,
      ...(isId(meetingId) && { meetingId }),
      ...(typeof topic === 'string' && { topic: cutText(topic, INPUT_LIMITS.nameBytes) }),
      ...(isId(email) && { email }),
      ...(Number.isFinite(startedAtMs) && { startedAtMs }),
    },
  ];
}
