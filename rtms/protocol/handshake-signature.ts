import { createHmac } from 'node:crypto';

/**
 * Signs a stream: the same value goes into the signaling handshake and into every media handshake.
 *
 * @param entityId the product's own id, verbatim (never URL-decoded)
 * @returns 64 lower-case hex digits
 * @see https://developers.zoom.us/docs/rtms/event-reference/ (read 2026-11-22)
 */
export function signHandshake(input: {
  clientId: string;
  clientSecret: string;
  entityId: string;
  rtmsStreamId: string;
}): string {
  return createHmac('sha256', input.clientSecret)
    .update(`${input.clientId},${input.entityId},${input.rtmsStreamId}`)
    .digest('hex');
}
