import type { NodeRequest } from './webhook-body.ts';

/**
 * Whether a request is for the path of the webhook, whatever its query.
 *
 * A router cuts the part it is mounted at: Express off `url`, and keeps the whole in `originalUrl`; Fastify off
 * nothing, and names its prefix. Zoom's SDK compares `url` alone; programs name either, so either will do.
 *
 * @param prefix of the Fastify plugin that the route is in
 */
export function isWebhookPath(request: NodeRequest, path: string, prefix = ''): boolean {
  const [whole = '', seen = ''] = [request.originalUrl ?? request.url, request.url].map(pathOf);
  const cut = prefix !== '' && whole.startsWith(`${prefix}/`) ? whole.slice(prefix.length) : whole;
  return [whole, seen, cut].includes(pathOf(path));
}

/** `/zoom/` is `/zoom`: routers take both. */
function pathOf(url: string | undefined): string {
  const [path = ''] = (url ?? '').split('?');
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
