import { readFileSync } from 'node:fs';
import type { RtmsJoin } from '../runner/rtms/events.ts';
import { ServiceError } from '../shared/errors.ts';
import { ENTITY_ID_FIELD, PRODUCTS, type Product } from '../shared/rtms/product.ts';
import { environment } from './environment.ts';
import { longId } from './long-ids.ts';
import { generateSignature } from './signature.ts';

/** The ids and addresses of a stream, as in the payload of a started webhook; other fields may be there. */
export interface StreamPayload {
  /** One id is needed. With several, the first of this list counts. */
  readonly meeting_uuid?: string;
  readonly webinar_uuid?: string;
  readonly session_id?: string;
  readonly engagement_id?: string;
  readonly call_id?: string | number;
  readonly rtms_stream_id?: string;
  /** One address, several with commas between, or a list. */
  readonly server_urls?: string | readonly string[];
  readonly stop_reason?: number;
  readonly operator_id?: string;
  readonly account_id?: string;
  /** Where Zoom nests the fields. */
  readonly object?: StreamPayload;
}

export interface JoinParams extends StreamPayload {
  /** Made elsewhere with `generateSignature`; client and secret are not needed then. */
  readonly signature?: string;
  /** @default ZM_RTMS_CLIENT; for Video SDK sessions ZM_RTMS_VIDEO_SDK_KEY first */
  readonly client?: string;
  /** @default ZM_RTMS_SECRET; for Video SDK sessions ZM_RTMS_VIDEO_SDK_SECRET first */
  readonly secret?: string;
  /** Path of a PEM file of the roots to trust, or PEM itself. @default ZM_RTMS_CA, else Node's roots */
  readonly ca?: string;
  /** For one connection and for one handshake, ms; -1 stands for the default. @default 10000 */
  readonly timeout?: number;
  /** Of Zoom's native SDK; nothing is polled here. */
  readonly pollInterval?: number;
  /** Of Zoom's native SDK; certificates are always verified here. */
  readonly is_verify_cert?: number | boolean;
  /** Of Zoom's native SDK; not sent. */
  readonly agent?: string;
}

export interface ParsedJoin {
  readonly join: RtmsJoin;
  readonly timeoutMs: number | undefined;
  readonly ca: string | undefined;
}

/**
 * @throws ServiceError `rtms/invalid-params` naming the field that is missing, `config/invalid` for a
 *   certificate file that cannot be read
 * @throws ReferenceError when there is nothing to sign with
 */
export function parseJoin(params: JoinParams): ParsedJoin {
  const stream = { ...params, ...params.object };
  const rtmsStreamId = stream.rtms_stream_id;
  const [product, entityId] = readEntityId(stream, rtmsStreamId);
  if (typeof rtmsStreamId !== 'string' || rtmsStreamId === '') throw missing('rtms_stream_id');
  const serverUrls = readServerUrls(stream.server_urls);
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
    ca: readCa(ca || environment('ZM_RTMS_CA')),
  };
}

/** The addresses of a started event, in Zoom's order. */
export function readServerUrls(value: unknown): string[] {
  const list = Array.isArray(value) ? value : [value];
  return list
    .filter((entry) => typeof entry === 'string')
    .flatMap((entry) => entry.split(','))
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
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
      {
        detail: { field, value: String(id) },
      },
    );
  }
  throw missing(Object.values(ENTITY_ID_FIELD).join(' or '));
}

function sign(params: JoinParams, product: Product, uuid: string, streamId: string): string {
  const isSession = product === 'session';
  const client = params.client || (isSession && environment('ZM_RTMS_VIDEO_SDK_KEY')) || '';
  const secret = params.secret || (isSession && environment('ZM_RTMS_VIDEO_SDK_SECRET')) || '';
  return generateSignature({ client, secret, uuid, streamId });
}

/** @param ca path or PEM */
export function readCa(ca: string | undefined): string | undefined {
  if (ca === undefined || ca.includes('-----BEGIN')) return ca;
  try {
    return readFileSync(ca, 'utf8');
  } catch (cause) {
    throw new ServiceError('config/invalid', `certificate file ${ca} cannot be read`, { cause });
  }
}

function missing(field: string): ServiceError {
  return new ServiceError('rtms/invalid-params', `join needs ${field}`, { detail: { field } });
}
