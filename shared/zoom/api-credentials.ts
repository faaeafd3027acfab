import * as v from 'valibot';

/** Trimmed, because values that were copied and pasted often end with white space, and Zoom's never do. */
const text = v.pipe(v.string(), v.trim(), v.minLength(1));

/**
 * What asks Zoom's REST API in the name of an account: the credentials of a server-to-server OAuth app, another app than
 * the one that streams. Stands in the Zoom secret as `apps.<name>.api`.
 */
export const API_CREDENTIALS = v.object({ accountId: text, clientId: text, clientSecret: text });

export type ApiCredentials = Readonly<v.InferOutput<typeof API_CREDENTIALS>>;

/** Where the API is. Other addresses are for tests and for accounts of Zoom for Government. */
export interface ApiAddresses {
  readonly apiUrl: string;
  readonly oauthUrl: string;
}

export const ZOOM_API: ApiAddresses = {
  apiUrl: 'https://api.zoom.us/v2',
  oauthUrl: 'https://zoom.us/oauth/token',
};

type Environment = Readonly<Record<string, string | undefined>>;

/** The addresses that the environment names, where it names them. */
export function apiAddressesFrom(environment: Environment): ApiAddresses {
  return {
    apiUrl: environment['ZM_RTMS_API_URL'] || ZOOM_API.apiUrl,
    oauthUrl: environment['ZM_RTMS_OAUTH_URL'] || ZOOM_API.oauthUrl,
  };
}

/** The credentials that the environment names; undefined unless all three are there. */
export function apiCredentialsFrom(environment: Environment): ApiCredentials | undefined {
  const found = v.safeParse(API_CREDENTIALS, {
    accountId: environment['ZM_RTMS_API_ACCOUNT'],
    clientId: environment['ZM_RTMS_API_CLIENT'],
    clientSecret: environment['ZM_RTMS_API_SECRET'],
  });
  return found.success ? found.output : undefined;
}
