import type { Product } from '../protocol/product.ts';

/** What Zoom may be asked to do with the RTMS stream of a live meeting. */
const STREAM_ACTIONS = ['start', 'stop', 'pause', 'resume'] as const;
export type StreamAction = (typeof STREAM_ACTIONS)[number];

/** One request to Zoom's REST API. */
export interface ApiRequest {
  readonly method: 'GET' | 'PATCH' | 'PUT';
  /** Behind the API's address, with its query. */
  readonly path: string;
  readonly body?: unknown;
}

const STATUS_ROUTES = {
  meeting: ['PATCH', (id: string) => `/live_meetings/${id}/rtms_app/status`],
  webinar: ['PATCH', (id: string) => `/live_meetings/${id}/rtms_app/status`],
  session: ['PATCH', (id: string) => `/videosdk/sessions/${id}/rtms_app/status`],
  contact_center: ['PUT', (id: string) => `/contact_center/${id}/rtms_app/status`],
  phone: ['PATCH', (id: string) => `/phone/calls/${id}/rtms_app/status`],
} as const satisfies Record<Product, readonly [string, (id: string) => string]>;

/**
 * The request that starts, stops, pauses or resumes a stream.
 *
 * @param entityId as the product's webhooks name it: meeting UUID, session id, engagement id, call id; or a meeting's number
 * @param clientId the app that streams: an account may have several
 */
export function statusRequest(
  product: Product,
  entityId: string,
  action: StreamAction,
  clientId: string,
): ApiRequest {
  const [method, path] = STATUS_ROUTES[product];
  return {
    method,
    path: path(pathSegment(entityId)),
    body: { action, settings: { client_id: clientId } },
  };
}

/** Most entries of one page of Zoom's lists. */
const PAGE_SIZE = 300;

/** One page of the account's live meetings, or webinars. @param pageToken of the page before */
export function liveMeetingsRequest(
  kind: 'meetings' | 'webinars',
  pageToken: string | undefined,
): ApiRequest {
  const query = new URLSearchParams({ type: 'live', page_size: String(PAGE_SIZE) });
  if (pageToken !== undefined) query.set('next_page_token', pageToken);
  return { method: 'GET', path: `/metrics/${kind}?${query}` };
}

/**
 * An id as one segment of a path. Zoom decodes the path before it looks for segments, so an id that begins with `/` or
 * holds `//` has to be encoded twice, as its documents say; once would name another path. So would `.` and `..`.
 */
export function pathSegment(id: string): string {
  const once = encodeURIComponent(id);
  if (id === '.' || id === '..') return id.replaceAll('.', '%252E');
  return id.startsWith('/') || id.includes('//') ? encodeURIComponent(once) : once;
}
