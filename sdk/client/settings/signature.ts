import { signHandshake } from '../../../rtms/protocol/handshake-signature.ts';
import { environment } from './environment.ts';

export interface SignatureParams {
  /** OAuth client id of the Zoom app, or the SDK key of a Video SDK app. @default ZM_RTMS_CLIENT */
  client?: string;
  /** @default ZM_RTMS_SECRET */
  secret?: string;
  /** The product's own id, verbatim: of the meeting, webinar, session, engagement or call. */
  uuid: string;
  streamId: string;
}

/**
 * Signs for a stream: HMAC-SHA256 over `client,uuid,streamId`, keyed by the secret, in hex.
 *
 * @throws ReferenceError without client or secret, as Zoom's SDK does
 */
export function generateSignature(params: SignatureParams): string {
  const clientId = params.client || environment('ZM_RTMS_CLIENT');
  const clientSecret = params.secret || environment('ZM_RTMS_SECRET');
  if (clientId === undefined) throw new ReferenceError('Client ID cannot be blank');
  if (clientSecret === undefined) throw new ReferenceError('Client Secret cannot be blank');
  const { uuid: entityId, streamId: rtmsStreamId } = params;
  return signHandshake({ clientId, clientSecret, entityId, rtmsStreamId });
}
