import * as v from 'valibot';
import type { HandshakeCredentials } from '../../rtms/protocol/client-messages.ts';
import type { Product } from '../../rtms/protocol/product.ts';
import { ServiceError } from '../errors.ts';
import { withoutByteOrderMark } from '../plain-text.ts';
import { API_CREDENTIALS } from './api-credentials.ts';

/** The app whose webhooks arrive on the bare path. */
export const DEFAULT_APP = 'default';

/** The app of the synthetic meeting (functions/synthetic-meeting). The deployment itself writes its secret. */
export const SYNTHETIC_APP = 'synthetic';

/** App names appear in the webhook path and in every session row. */
const APP_NAME = /^[A-Za-z0-9_-]{1,64}$/;

/** Trimmed, because values that were copied and pasted often end with white space, and Zoom's never do. */
const text = v.pipe(v.string(), v.trim(), v.minLength(1));

const SIGNING = {
  clientId: text,
  clientSecret: text,
  videoSdkKey: v.optional(text),
  videoSdkSecret: v.optional(text),
  /** What asks Zoom's REST API to start a stream again; without it nothing is asked. */
  api: v.optional(API_CREDENTIALS),
};

const VERIFYING = {
  /** Current token first; a second one stays valid while Zoom's side is being rotated. */
  webhookSecretTokens: v.pipe(v.array(text), v.minLength(1), v.maxLength(2)),
};

const SIGNING_APP = v.object(SIGNING);
const VERIFYING_APP = v.object(VERIFYING);
const APP = v.object({ ...SIGNING, ...VERIFYING });

/** What signs one app's handshakes. */
export type SigningApp = Readonly<v.InferOutput<typeof SIGNING_APP>>;

/** What one app's webhooks are verified with. */
export type VerifyingApp = Readonly<v.InferOutput<typeof VERIFYING_APP>>;

/** One Zoom app's credentials, all of them. */
export type ZoomApp = Readonly<v.InferOutput<typeof APP>>;

/** Zoom apps by the name that the webhook's path gives them. */
export interface ZoomApps<App> {
  readonly apps: ReadonlyMap<string, App>;
  /** Some value is still the one that the first deployment wrote. */
  readonly hasPlaceholder: boolean;
}

/**
 * A deployment keeps either one secret with everything, or two, so that the function that faces the internet reads the
 * webhook tokens alone and only runners read what signs handshakes. Each reader accepts both shapes.
 */
export const parseSigningSecret = (json: string): ZoomApps<SigningApp> =>
  parseApps(json, SIGNING_APP);

export const parseWebhookSecret = (json: string): ZoomApps<VerifyingApp> =>
  parseApps(json, VERIFYING_APP);

/**
 * Reads a secret that holds everything: `{"apps": {"default": {"clientId", "clientSecret", "webhookSecretTokens": ["current",
 * "previous"], "videoSdkKey"?, "videoSdkSecret"?, "api"?: {"accountId", "clientId", "clientSecret"}}, "<app>": {...}}}`.
 *
 * @throws ServiceError `config/invalid` naming each wrong field and never a value; it carries no `cause`,
 *   because the parsers quote their input
 */
export const parseZoomSecret = (json: string): ZoomApps<ZoomApp> => parseApps(json, APP);

/**
 * Makes the synthetic app of its secret. Secrets Manager can only generate one random text, on the top level, so both
 * halves of the app's credentials are derived from that text.
 */
function withApps(value: unknown): unknown {
  const drawn = (value as { [SYNTHETIC_APP]?: unknown } | null)?.[SYNTHETIC_APP];
  if (typeof drawn !== 'string' || drawn === '') return value;
  const app = {
    clientId: SYNTHETIC_APP,
    clientSecret: `sign-${drawn}`,
    webhookSecretTokens: [`verify-${drawn}`],
  };
  return { apps: { [SYNTHETIC_APP]: app } };
}

/** @returns whether a value is the one that the first deployment wrote (`infra/webhook/zoom-secret.ts`) */
export const isPlaceholder = (value: string): boolean => value.startsWith('replace-me');

function parseApps<App extends object>(
  json: string,
  app: v.GenericSchema<unknown, App>,
): ZoomApps<App> {
  let value: unknown;
  try {
    value = JSON.parse(withoutByteOrderMark(json));
  } catch {
    throw new ServiceError('config/invalid', 'the Zoom secret is not JSON');
  }
  const parsed = v.safeParse(v.object({ apps: v.record(v.string(), app) }), withApps(value));
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
  const values = [...apps.values()].flatMap((each) => Object.values(each).flat());
  return { apps, hasPlaceholder: values.some((text) => isPlaceholder(String(text))) };
}

/**
 * The pair that signs a stream's handshakes: the Video SDK key and secret for sessions, the app's own for
 * every other product.
 *
 * @throws ServiceError `config/invalid` when a session arrives for an app without Video SDK credentials
 */
export function handshakeCredentials(app: SigningApp, product: Product): HandshakeCredentials {
  if (product !== 'session') return { clientId: app.clientId, clientSecret: app.clientSecret };
  if (app.videoSdkKey === undefined || app.videoSdkSecret === undefined) {
    throw new ServiceError(
      'config/invalid',
      'a Video SDK session needs videoSdkKey and videoSdkSecret in the Zoom secret',
    );
  }
  return { clientId: app.videoSdkKey, clientSecret: app.videoSdkSecret };
}
