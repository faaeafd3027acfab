import { readFileSync } from 'node:fs';
import type { RtmsJoin } from '../../../rtms/connection/handshake-signer.ts';
import { signHandshake } from '../../../rtms/protocol/client-messages.ts';
import { readServerUrls } from '../../../rtms/protocol/offered-urls.ts';
import { ENTITY_ID_FIELD, PRODUCTS, type Product } from '../../../rtms/protocol/product.ts';
import { ServiceError } from '../../../shared/errors.ts';
import { type Logger, SILENT_LOGGER } from '../../../shared/logger.ts';
import { longId } from '../webhook/exact-json.ts';
import { environment } from './environment.ts';

/** The ids and addresses of a stream, as in the payload of a started webhook. Other fields are ignored. */
export interface StreamPayload {
  /** One of the five ids is needed. Of several, the first in this order counts. */
  meeting_uuid?: string;
  webinar_uuid?: string;
  session_id?: string;
  engagement_id?: string;
  call_id?: string | number;
  rtms_stream_id?: string;
  /** One address, several with commas between, or a list. */
  server_urls?: string | readonly string[];
  stop_reason?: number;
  operator_id?: string;
  account_id?: string;
  /** Where Zoom nests the fields. */
  object?: StreamPayload;
}

/** What a program may add to the fields of a stream. */
export interface JoinSettings {
  /** From `generateSignature`, called elsewhere; makes `client` and `secret` unnecessary. */
  signature?: string;
  /** @default ZM_RTMS_CLIENT; for Video SDK sessions ZM_RTMS_VIDEO_SDK_KEY first */
  client?: string;
  /** @default ZM_RTMS_SECRET; for Video SDK sessions ZM_RTMS_VIDEO_SDK_SECRET first */
  secret?: string;
  /**
   * Path of a PEM file of the roots to trust, or PEM itself. A file that cannot be read is passed over with a
   * warning.
   *
   * @default ZM_RTMS_CA, else Node's roots
   */
  ca?: string;
  /** Time-out of each connection attempt and of each handshake, ms; -1 is the default. @default 10000 */
  timeout?: number;
  /** For Zoom's native SDK; nothing is polled here. */
  pollInterval?: number;
  /** For Zoom's native SDK; certificates are always verified here. */
  is_verify_cert?: number;
  /** For Zoom's native SDK; not sent. */
  agent?: string;
}

/** What `join` takes: the payload of a started webhook as it came, and settings where wanted. */
export interface JoinPayload extends StreamPayload, JoinSettings {}

/** What `join` takes from a program that writes the fields out itself; the type of Zoom's SDK. */
export interface JoinParams extends JoinSettings {
  meeting_uuid?: string;
  webinar_uuid?: string;
  session_id?: string;
  engagement_id?: string;
  call_id?: string | number;
  rtms_stream_id: string;
  server_urls: string;
}

export interface ParsedJoin {
  readonly join: RtmsJoin;
  readonly timeoutMs: number | undefined;
  readonly ca: string | undefined;
}

/**
 * Reads everything a join needs, and signs for the stream where no signature was given.
 *
 * @throws ServiceError `rtms/invalid-params` naming the field that is missing
 * @throws ReferenceError when there is nothing to sign with
 */
export function parseJoin(params: JoinPayload, logger: Logger = SILENT_LOGGER): ParsedJoin {
  const stream = { ...params, ...params.object };
  const rtmsStreamId = stream.rtms_stream_id;
  const [product, entityId] = readEntityId(stream, rtmsStreamId);
  if (typeof rtmsStreamId !== 'string' || rtmsStreamId === '') throw missing('rtms_stream_id');
  const serverUrls = serverUrlsOf(params);
  if (serverUrls.length === 0) throw missing('server_urls');
  const { signature, timeout, ca } = params;
  return {
    join: {
      product,
      entityId,
      rtmsStreamId,
      serverUrls,
      signature: signature || sign(params, product, entityId, rtmsStreamId),
    },
    timeoutMs: timeout !== undefined && timeout > 0 ? timeout : undefined,
    ca: readCa([ca, environment('ZM_RTMS_CA')], logger),
  };
}

/** Reads the arguments of `join`: one payload, or Zoom's older form with up to five of them. */
export function payloadOf(
  first: JoinParams | JoinPayload | string,
  streamId = '',
  signature = '',
  serverUrls = '',
  timeout = -1,
): JoinPayload {
  if (typeof first === 'string') {
    return {
      meeting_uuid: first,
      rtms_stream_id: streamId,
      signature,
      server_urls: serverUrls,
      timeout,
    };
  }
  if (typeof first === 'object' && first !== null) return first;
  throw invalidParam('join', first, ['the payload of a started webhook']);
}

export function streamIdOf({ object, rtms_stream_id }: StreamPayload): string | undefined {
  return object?.rtms_stream_id ?? rtms_stream_id;
}

/** The addresses of a started event, in Zoom's order. */
export function serverUrlsOf(payload: StreamPayload): string[] {
  const { server_urls } = { ...payload, ...payload.object };
  return readServerUrls(server_urls);
}

function readEntityId(stream: StreamPayload, rtmsStreamId = ''): [Product, string] {
  for (const product of PRODUCTS) {
    const field = ENTITY_ID_FIELD[product];
    const id: unknown = stream[field];
    if (id === undefined || id === null || id === '') continue;
    const text = typeof id === 'number' ? longId(rtmsStreamId, id) : id;
    if (typeof text === 'string') return [product, text];
    throw new ServiceError(
      'rtms/invalid-params',
      `${field} has lost digits: hand it over as text`,
      { detail: { field, value: String(id) } },
    );
  }
  throw missing(Object.values(ENTITY_ID_FIELD).join(' or '));
}

function sign(params: JoinPayload, product: Product, uuid: string, streamId: string): string {
  const isSession = product === 'session';
  const client = params.client || (isSession && environment('ZM_RTMS_VIDEO_SDK_KEY')) || '';
  const secret = params.secret || (isSession && environment('ZM_RTMS_VIDEO_SDK_SECRET')) || '';
  return generateSignature({ client, secret, uuid, streamId });
}

/**
 * Reads the first of these roots that can be read, in the order of Zoom's SDK.
 *
 * @param candidates paths or PEM
 * @returns PEM; undefined where Node's own roots hold
 */
function readCa(candidates: readonly (string | undefined)[], logger: Logger): string | undefined {
  for (const ca of candidates) {
    if (ca === undefined || ca === '') continue;
    if (ca.includes('-----BEGIN')) return ca;
    try {
      return readFileSync(ca, 'utf8');
    } catch (error) {
      logger.warn(
        'certificate file cannot be read, so the next one named holds, else the system roots',
        {
          ca,
          error,
        },
      );
    }
  }
  return undefined;
}

function missing(field: string): ServiceError {
  return new ServiceError('rtms/invalid-params', `join needs ${field}`, { detail: { field } });
}

/** For an argument of another type or range than `allowed` says. */
export function invalidParam(
  field: string,
  value: unknown,
  allowed: readonly string[],
): ServiceError {
  return new ServiceError('rtms/invalid-params', `${field} is ${typeof value}, not ${allowed[0]}`, {
    detail: { field, value: String(value), allowed },
  });
}

/** What `generateSignature` signs, and with what. */
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
