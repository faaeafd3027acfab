import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

/**
 * Who may ask. The console listens on loopback, where every web page that the user has open can send requests too, so
 * each request has to show three things:
 *
 * - `Host` names loopback. A foreign name that was made to lead to 127.0.0.1 (DNS rebinding) is refused.
 * - `Origin`, where there is one, is the console itself. Another page is refused.
 * - `Authorization` has the token, for everything but the page's own files, which hold no data. The token stands behind
 *   the `#` of the printed address: a browser sends that part to no server, so it is in no log and no `Referer`.
 */
export interface Trust {
  readonly token: string;
  /** `127.0.0.1:<port>` and `localhost:<port>`. */
  readonly hosts: readonly string[];
}

/** Why a request is refused, and the status of the answer. */
export interface Refusal {
  readonly status: 401 | 403 | 421;
  readonly why: string;
}

/** 256 bits, as one run of the console uses them. */
export function newToken(): string {
  return randomBytes(32).toString('base64url');
}

export function hostsOf(port: number): string[] {
  return [`127.0.0.1:${port}`, `localhost:${port}`];
}

/** @returns undefined for a request that may ask for the files of the page */
export function refuseStranger(
  headers: IncomingHttpHeaders,
  { hosts }: Trust,
): Refusal | undefined {
  if (!hosts.includes(headers.host ?? '')) {
    return { status: 421, why: 'the Host of the request is not this console' };
  }
  const { origin } = headers;
  if (origin !== undefined && !hosts.some((host) => origin === `http://${host}`)) {
    return { status: 403, why: 'another page sent the request' };
  }
  const site = headers['sec-fetch-site'];
  // A link in another page may lead to the files of the page. They say nothing without the token.
  const isNavigation = headers['sec-fetch-mode'] === 'navigate';
  if (site === undefined || site === 'same-origin' || site === 'none' || isNavigation)
    return undefined;
  return { status: 403, why: 'another page sent the request' };
}

/** @returns undefined for a request that may ask for data */
export function refuseUntrusted(headers: IncomingHttpHeaders, trust: Trust): Refusal | undefined {
  const stranger = refuseStranger(headers, trust);
  if (stranger !== undefined) return stranger;
  const given = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '';
  if (isEqual(given, trust.token)) return undefined;
  return { status: 401, why: 'the token is missing or is one of an earlier run' };
}

/** Takes the same time for every wrong text, whatever its length and wherever it differs. */
function isEqual(given: string, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(token));
}

/**
 * Sent with every answer. The page can load nothing but its own files and talk to nobody but this server, no other page can
 * frame it, and with Trusted Types the browser itself refuses text as markup.
 */
export const SAFETY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
    "require-trusted-types-for 'script'; trusted-types 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), display-capture=()',
  'cache-control': 'no-store',
};
