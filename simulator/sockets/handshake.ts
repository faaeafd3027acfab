import { timingSafeEqual } from 'node:crypto';
import { signHandshake } from '../../rtms/protocol/client-messages.ts';
import { STATUS_CODE as STATUS } from '../../rtms/protocol/constants.ts';
import { ENTITY_ID_FIELD } from '../../rtms/protocol/product.ts';
import type { RtmsStream } from '../stream.ts';
import type { ClientMessage } from './connection.ts';

/** The credentials of the Zoom app whose client connects to this simulator. */
export interface SimulatorApp {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly webhookSecretToken: string;
  /** Sign the streams of Video SDK sessions. */
  readonly videoSdkKey: string;
  readonly videoSdkSecret: string;
}

/** The fake credentials of the fixtures, which are no secret. */
export const EXAMPLE_APP: SimulatorApp = {
  clientId: 'abcDEF123clientid',
  clientSecret: 'rtmsExampleClientSecret',
  webhookSecretToken: 'exampleWebhookSecretToken',
  videoSdkKey: 'exampleVideoSdkKey01',
  videoSdkSecret: 'exampleVideoSdkSecret01',
};

/**
 * The checks that messages 1 and 3 share: the stream of the address, its entity id, and the signature. The
 * entity id may be in the product's own field or in `meeting_uuid`, where older clients send it.
 *
 * @param stream the stream of the address; undefined: there is none
 * @returns STATUS_CODE
 */
export function checkHandshake(
  app: SimulatorApp,
  stream: RtmsStream | undefined,
  message: ClientMessage,
): number {
  const { rtms_stream_id: rtmsStreamId, signature } = message;
  if (typeof rtmsStreamId !== 'string' || typeof signature !== 'string') {
    return STATUS.INVALID_PAYLOAD;
  }
  if (stream === undefined || stream.terminated || stream.rtmsStreamId !== rtmsStreamId) {
    return STATUS.INVALID_RTMS_STREAM_ID;
  }
  const entityId = message[ENTITY_ID_FIELD[stream.product]] ?? message['meeting_uuid'];
  if (entityId !== stream.entityId) return STATUS.INVALID_PAYLOAD;
  const isSession = stream.product === 'session';
  const expected = signHandshake({
    clientId: isSession ? app.videoSdkKey : app.clientId,
    clientSecret: isSession ? app.videoSdkSecret : app.clientSecret,
    entityId,
    rtmsStreamId,
  });
  const isRight =
    signature.length === expected.length &&
    timingSafeEqual(Buffer.from(signature), Buffer.from(expected));
  stream.hadBadSignature = !isRight;
  return isRight ? STATUS.OK : STATUS.INVALID_SIGNATURE;
}
