import { createHmac } from 'node:crypto';

/** What signs handshakes: the Zoom app's own id and secret, or the key and secret of the Video SDK. */
export interface HandshakeCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/**
 * The signature of a stream. The signaling handshake and every media handshake carry the same one.
 *
 * @param entityId the product's own id, verbatim (never URL-decoded)
 * @returns 64 lower-case hex digits
 * @see https://developers.zoom.us/docs/rtms/event-reference/ (read 2026-11-22)
 */
export function signHandshake(
  input: HandshakeCredentials & { readonly entityId: string; readonly rtmsStreamId: string },
): string {
  return createHmac('sha256', input.clientSecret)
    .update(`${input.clientId},${input.entityId},${input.rtmsStreamId}`)
    .digest('hex');
}
