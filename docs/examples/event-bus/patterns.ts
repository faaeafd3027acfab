/** Of every event that the pipe puts on the bus. */
export const SOURCE = 'rtms-kinesis';
export const DETAIL_TYPE = 'RTMS events';

const of = (detail: object) => ({ source: [SOURCE], 'detail-type': [DETAIL_TYPE], detail });
const types = (...names: readonly string[]) => names.map((name) => `rtms.${name}.v1`);

/**
 * The patterns of the rules. `events` is an array: a pattern matches when one line of it has everything that the pattern names. A rule's
 * target gets the whole envelope and has to look for its lines itself.
 */
export const PATTERNS = {
  /** A session is over, or never began. */
  Ended: of({ events: { type: types('session_ended', 'session_missed') } }),
  /** What is stored of the session must be deleted. */
  Revoked: of({ events: { type: types('session_revoked') } }),
  /** Frames or lines are lost. A gap of 0 frames is a camera of which nothing came. */
  Losses: of({ events: { type: types('gap'), data: { count: [{ numeric: ['>', 0] }] } } }),
  /** Lines that nobody could read. */
  Unreadable: of({ unreadable: [{ numeric: ['>', 0] }] }),
} as const;
