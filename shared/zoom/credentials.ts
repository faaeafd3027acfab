import * as v from 'valibot';
import { withoutByteOrderMark } from '../decode-text.ts';
import { ServiceError } from '../errors.ts';
import type { Product } from '../rtms/product.ts';

/** The app whose webhooks arrive on the bare path. */
export const DEFAULT_APP = 'default';

/** App names appear in the webhook path and in every session row. */
const APP_NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** Copied and pasted values bring white space at their ends; none of Zoom's begins or ends with any. */
const text = v.pipe(v.string(), v.trim(), v.minLength(1));

const APP = v.object({
  clientId: text,
  clientSecret: text,
  /** Current token first; a second one stays valid while Zoom's side is being rotated. */
  webhookSecretTokens: v.pipe(v.array(text), v.minLength(1), v.maxLength(2)),
  videoSdkKey: v.optional(text),
  videoSdkSecret: v.optional(text),
});

const SECRET = v.object({ apps: v.record(v.string(), APP) });

/** One Zoom app's credentials. */
export type ZoomApp = Readonly<v.InferOutput<typeof APP>>;

/** Everything the Secrets Manager secret holds, by app name. */
export interface ZoomSecret {
  readonly apps: ReadonlyMap<string, ZoomApp>;
}

/** What signs handshakes. */
export interface HandshakeCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/**
 * Reads the secret: `{"apps": {"default": {"clientId", "clientSecret", "webhookSecretTokens": ["current",
 * "previous"], "videoSdkKey"?, "videoSdkSecret"?}, "<app>": {...}}}`.
 *
 * @throws ServiceError `config/invalid` naming each wrong field and never a value; it carries no `cause`,
 *   because the parsers quote their input
 */
export function parseZoomSecret(json: string): ZoomSecret {
  let value: unknown;
  try {
    value = JSON.parse(withoutByteOrderMark(json));
  } catch {
    throw new ServiceError('config/invalid', 'the Zoom secret is not JSON');
  }
  const parsed = v.safeParse(SECRET, value);
  if (!parsed.success) {
    const fields = parsed.issues.map((issue) => v.getDotPath(issue) ?? 'secret');
    throw new ServiceError('config/invalid', `the Zoom secret is wrong at ${fields.join(', ')}`, {
      detail: { fields },
    });
  }
  const apps = new Map(Object.entries(parsed.output.apps));
  const badNames = [...apps.keys()].filter((name) => !APP_NAME.test(name));
  if (apps.size === 0 || badNames.length > 0) {
    throw new ServiceError(
      'config/invalid',
      apps.size === 0
        ? 'the Zoom secret names no app'
        : `app names in the Zoom secret may hold letters, digits, - and _: ${badNames.join(', ')}`,
    );
  }
  return { apps };
}

/**
 * The pair that signs a stream's handshakes: the Video SDK key and secret for sessions, the app's own for
 * every other product.
 *
 * @throws ServiceError `config/invalid` when a session arrives for an app without Video SDK credentials
 */
export function handshakeCredentials(app: ZoomApp, product: Product): HandshakeCredentials {
  if (product !== 'session') return { clientId: app.clientId, clientSecret: app.clientSecret };
  if (app.videoSdkKey === undefined || app.videoSdkSecret === undefined) {
    throw new ServiceError(
      'config/invalid',
      'a Video SDK session needs videoSdkKey and videoSdkSecret in the Zoom secret',
    );
  }
  return { clientId: app.videoSdkKey, clientSecret: app.videoSdkSecret };
}
