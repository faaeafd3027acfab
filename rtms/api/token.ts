import type { ApiCredentials } from '../../shared/zoom/api-credentials.ts';
import { type ApiAnswer, readTokenAnswer } from './answer.ts';
import { fetchAnswer } from './http.ts';

/** Zoom's tokens last an hour. One that has less than this left is replaced before Zoom refuses it. */
const RENEW_BEFORE_MS = 60_000;
const SHORTEST_LIFE_MS = 1_000;

export interface TokenSourceOptions {
  readonly credentials: ApiCredentials;
  /** Where tokens are asked for: Zoom's OAuth endpoint. */
  readonly url: string;
  readonly timeoutMs: number;
  /** Unix ms. */
  readonly now: () => number;
}

export type TokenOrRefusal = { readonly token: string } | { readonly refusal: ApiAnswer };

/**
 * Access tokens of a server-to-server OAuth app, in memory alone. Whoever asks while one is being fetched waits for that
 * one: Zoom keeps only the newest few tokens of an app valid, so parallel requests would void each other's.
 */
export class TokenSource {
  readonly #options: TokenSourceOptions;
  #held: { readonly token: string; readonly untilMs: number } | undefined;
  #fetching: Promise<TokenOrRefusal> | undefined;

  constructor(options: TokenSourceOptions) {
    this.#options = options;
  }

  async get(): Promise<TokenOrRefusal> {
    const held = this.#held;
    if (held !== undefined && this.#options.now() < held.untilMs) return { token: held.token };
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  /** Zoom has refused the token. */
  drop(): void {
    this.#held = undefined;
  }

  async #fetch(): Promise<TokenOrRefusal> {
    const { credentials, url, timeoutMs, now } = this.#options;
    const { accountId, clientId, clientSecret } = credentials;
    const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64');
    const query = new URLSearchParams({
      grant_type: 'account_credentials',
      account_id: accountId,
    });
    const askedAtMs = now();
    const raw = await fetchAnswer(`${url}?${query}`, {
      method: 'POST',
      headers: { authorization: `Basic ${basic}` },
      timeoutMs,
    });
    if (raw === 'unreachable') {
      return { refusal: { kind: 'later', why: 'unreachable', status: 0 } };
    }
    const answer = readTokenAnswer(raw, now());
    if (answer.kind !== 'ok') return { refusal: answer };
    const read = readToken(raw.body);
    if (read === undefined) {
      return { refusal: { kind: 'later', why: 'unavailable', status: raw.status } };
    }
    const lifeMs = Math.max(SHORTEST_LIFE_MS, read.lifeMs - RENEW_BEFORE_MS);
    this.#held = { token: read.token, untilMs: askedAtMs + lifeMs };
    return { token: read.token };
  }
}

function readToken(body: string): { token: string; lifeMs: number } | undefined {
  try {
    const { access_token, expires_in } = JSON.parse(body) ?? {};
    // A header takes no other characters, and `fetch` would quote the token in its error.
    if (typeof access_token !== 'string' || !/^[\x21-\x7e]+$/.test(access_token)) return undefined;
    return { token: access_token, lifeMs: Number(expires_in) * 1_000 || 0 };
  } catch {
    return undefined;
  }
}
