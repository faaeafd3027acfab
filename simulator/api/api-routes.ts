import type { Product } from '../../rtms/protocol/product.ts';

/** A request about the RTMS stream of one meeting. */
export interface StatusRoute {
  /** Meetings and webinars share a route; the id says which of the two is meant. */
  readonly product: Product;
  readonly id: string;
}

const ROUTES: readonly (readonly [method: string, path: RegExp, product: Product])[] = [
  ['PATCH', /^\/v2\/live_meetings\/([^/]+)\/rtms_app\/status$/, 'meeting'],
  ['PATCH', /^\/v2\/videosdk\/sessions\/([^/]+)\/rtms_app\/status$/, 'session'],
  ['PUT', /^\/v2\/contact_center\/([^/]+)\/rtms_app\/status$/, 'contact_center'],
  ['PATCH', /^\/v2\/phone\/calls\/([^/]+)\/rtms_app\/status$/, 'phone'],
];

/**
 * Written apart from the client's routes. As at Zoom, a path is decoded once before it is looked at; a segment that still
 * holds an escape then was encoded twice.
 *
 * @param path as it came, encoded
 */
export function matchRoute(method: string, path: string): StatusRoute | undefined {
  for (const [itsMethod, pattern, product] of ROUTES) {
    const segment = pattern.exec(path)?.[1];
    if (segment === undefined || itsMethod !== method) continue;
    const id = decoded(segment);
    if (id === undefined) return undefined;
    // Zoom decodes a path before it splits it, so such an id would name another path unless it was encoded twice.
    if (id.startsWith('/') || id.includes('//')) return undefined;
    return { product, id: id.includes('%') ? (decoded(id) ?? id) : id };
  }
  return undefined;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
