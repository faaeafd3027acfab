import { readFileSync } from 'node:fs';
import type { RtmsJoin } from '../../../rtms/events.ts';
import { ENTITY_ID_FIELD, PRODUCTS, type Product } from '../../../rtms/protocol/product.ts';
import { ServiceError } from '../../../shared/errors.ts';
import { type Logger, SILENT_LOGGER } from '../../../shared/logger.ts';
import { environment } from './environment.ts';
import { longId } from './long-ids.ts';
import { generateSignature } from './signature.ts';

/** The ids and addresses of a stream, as in the payload of a started webhook; other fields may be there. */
export interface StreamPayload {
  /** One id is needed. With several, the first of this list counts. */
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

/** What may stand beside the fields of a stream. */
export interface JoinSettings {
  /** Made elsewhere with `generateSignature`; client and secret are not needed then. */
  signature?: string;
  /** @default ZM_RTMS_CLIENT; for Video SDK sessions ZM_RTMS_VIDEO_SDK_KEY first */
  client?: string;
  /** @default ZM_RTMS_SECRET; for Video SDK sessions ZM_RTMS_VIDEO_SDK_SECRET first */
  secret?: string;
  /**
   * Path of a PEM file of the roots to trust, or PEM itself. A file that is not there counts as not named, with
   * a warning.
   *
   * @default ZM_RTMS_CA, else Node's roots
   */
  ca?: string;
  /** For one connection and for one handshake, ms; -1 stands for the default. @default 10000 */
  timeout?: number;
  /** Of Zoom's native SDK; nothing is polled here. */
  pollInterval?: number;
  /** Of Zoom's native SDK; certificates are always verified here. */
  is_verify_cert?: number;
  /** Of Zoom's native SDK; not sent. */
  agent?: string;
}

/** What `join` takes: a started payload as it came, with settings beside it where wanted. */
export interface JoinPayload extends StreamPayload, JoinSettings {}

/** The same by Zoom's type: what a program writes out itself. */
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
 * @throws ServiceError `rtms/invalid-params` naming the field that is missing
 * @throws ReferenceError when there is nothing to sign with
 */
export function parseJoin(params: JoinPayload, logger: Logger = SILENT_LOGGER): ParsedJoin {
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
    ca: readCa([ca, environment('ZM_RTMS_CA')], logger),
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

function sign(params: JoinPayload, product: Product, uuid: string, streamId: string): string {
  const isSession = product === 'session';
  const client = params.client || (isSession && environment('ZM_RTMS_VIDEO_SDK_KEY')) || '';
  const secret = params.secret || (isSession && environment('ZM_RTMS_VIDEO_SDK_SECRET')) || '';
  return generateSignature({ client, secret, uuid, streamId });
}

/**
 * The first of these roots that is there, as Zoom's SDK looks for them; undefined for Node's own.
 *
 * @param candidates paths or PEM
 */
function readCa(candidates: readonly (string | undefined)[], logger: Logger): string | undefined {
  for (const ca of candidates) {
    if (ca === undefined || ca === '') continue;
    if (ca.includes('-----BEGIN')) return ca;
    try {
      return readFileSync(ca, 'utf8');
    } catch (error) {
      logger.warn(
        'certificate file cannot be read: the roots named next, or the system ones, hold',
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
