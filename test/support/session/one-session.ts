import type { MediaFrame } from '../../../rtms/events.ts';
import type { SessionRow } from '../../../shared/session-table/session-row.ts';

/** When the sessions of unit tests are told something, Unix ms. */
export const SESSION_AT_MS = 1_738_392_033_000;

/** The row of stream `s`, claimed by this task in its first epoch. */
export const CLAIMED_ROW: SessionRow = {
  pk: 'SESSION#s',
  rtmsStreamId: 's',
  owner: 'here',
  epoch: 1,
  startEventTsMs: 1_000,
  serverUrls: ['wss://a.zoom.us'],
  product: 'meeting',
  entityId: 'e',
  app: 'default',
  requestedAtMs: SESSION_AT_MS - 500,
  claimedAtMs: SESSION_AT_MS - 100,
};

export const AUDIO_FRAME: MediaFrame = {
  mediaType: 'audio',
  userId: 7,
  userName: 'Ada',
  capturedAtMs: SESSION_AT_MS,
  receivedAtMs: SESSION_AT_MS,
  codec: 1,
  payload: Buffer.from('frame'),
};
