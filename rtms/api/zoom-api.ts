import type { ApiAddresses, ApiCredentials } from '../../shared/zoom/api-credentials.ts';
import { ZOOM_API } from '../../shared/zoom/api-credentials.ts';
import type { Product } from '../protocol/product.ts';
import { type ApiAnswer, isTokenRefused, readAnswer } from './answer.ts';
import { fetchAnswer, type RawAnswer } from './http.ts';
import { type LiveMeeting, readLiveMeetings } from './live-meetings.ts';
import {
  type ApiRequest,
  liveMeetingsRequest,
  type StreamAction,
  statusRequest,
} from './routes.ts';
import { TokenSource } from './token.ts';

export interface ZoomApiOptions {
  readonly credentials: ApiCredentials;
  /** @default Zoom's */
  readonly addresses?: ApiAddresses;
  /** For the connection and the answer of one request. @default 4,000 */
  readonly timeoutMs?: number;
  /** Unix ms. @default Date.now */
  readonly now?: () => number;
}

/** A live stream, as a request has to name it. */
export interface StreamTarget {
  readonly product: Product;
  /** The id by which the product's webhooks name it, or a meeting's number. */
  readonly entityId: string;
  /** The app that streams. */
  readonly clientId: string;
}

const TIMEOUT_MS = 4_000;
/** An account with more live meetings at once is not looked at whole: 20 pages of 300. */
const MAX_PAGES = 20;
/** For all pages together. */
const LIST_MS = 15_000;

/**
 * Zoom's REST API, as far as it is about RTMS, for one account. No method throws: what Zoom says is an answer, and so is
 * its silence. A token that Zoom does not take is replaced once. Neither token nor secret leaves this object.
 */
export class ZoomApi {
  readonly #addresses: ApiAddresses;
  readonly #timeoutMs: number;
  readonly #now: () => number;
  readonly #tokens: TokenSource;

  constructor({
    credentials,
    addresses = ZOOM_API,
    timeoutMs = TIMEOUT_MS,
    now = Date.now,
  }: ZoomApiOptions) {
    this.#addresses = addresses;
    this.#timeoutMs = timeoutMs;
    this.#now = now;
    this.#tokens = new TokenSource({ credentials, url: addresses.oauthUrl, timeoutMs, now });
  }

  /** Asks for a token, which shows whether the credentials are right. */
  async check(): Promise<ApiAnswer> {
    const given = await this.#tokens.get();
    return 'refusal' in given ? given.refusal : { kind: 'ok', status: 200 };
  }

  /** Starts, stops, pauses or resumes a stream. `ok` says that Zoom will, not that it has: its webhook follows. */
  async setStream(
    { product, entityId, clientId }: StreamTarget,
    action: StreamAction,
  ): Promise<ApiAnswer> {
    const { answer } = await this.#ask(statusRequest(product, entityId, action, clientId));
    return answer;
  }

  /** Live meetings, or webinars, of the whole account. @returns the list; or Zoom's answer, when it is none */
  async liveMeetings(
    kind: 'meetings' | 'webinars' = 'meetings',
  ): Promise<{ readonly meetings: readonly LiveMeeting[] } | { readonly answer: ApiAnswer }> {
    const meetings: LiveMeeting[] = [];
    let pageToken: string | undefined;
    const untilMs = performance.now() + LIST_MS;
    for (let page = 0; page < MAX_PAGES; page++) {
      if (performance.now() > untilMs)
        return { answer: { kind: 'later', why: 'unavailable', status: 0 } };
      const { answer, body } = await this.#ask(liveMeetingsRequest(kind, pageToken));
      if (answer.kind !== 'ok') return { answer };
      const read = readLiveMeetings(kind, body);
      if (read === undefined) return { answer: { kind: 'later', why: 'unavailable', status: 200 } };
      meetings.push(...read.meetings);
      pageToken = read.nextPageToken;
      if (pageToken === undefined) break;
    }
    return { meetings };
  }

  async #ask(request: ApiRequest): Promise<{ answer: ApiAnswer; body: string }> {
    const first = await this.#askWithToken(request);
    if (!isTokenRefused(first.answer)) return first;
    this.#tokens.drop();
    return this.#askWithToken(request);
  }

  async #askWithToken(request: ApiRequest): Promise<{ answer: ApiAnswer; body: string }> {
    const given = await this.#tokens.get();
    if ('refusal' in given) return { answer: given.refusal, body: '' };
    const { method, path, body } = request;
    const raw: RawAnswer = await fetchAnswer(`${this.#addresses.apiUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${given.token}` },
      ...(body !== undefined && { json: body }),
      timeoutMs: this.#timeoutMs,
    });
    if (raw === 'unreachable') {
      return { answer: { kind: 'later', why: 'unreachable', status: 0 }, body: '' };
    }
    return { answer: readAnswer(raw, this.#now()), body: raw.body };
  }
}
