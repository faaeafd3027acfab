import { createHmac, randomBytes } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Cancel, Clock } from '../clock.ts';
import type { Action } from '../scenario/scenario.ts';
import type { SentWebhookEvent } from './webhook-events.ts';

/** Zoom's delays after a failed delivery. */
const RETRY_DELAYS_MS = [5 * 60_000, 20 * 60_000, 60 * 60_000] as const;
const ANSWER_TIMEOUT_MS = 3_000;

/** One POST and its result. `status` 0: no connection, or no answer in time. */
export interface WebhookAttempt {
  readonly status: number;
  readonly atMs: number;
}

/** One event on its way to one endpoint. */
export interface WebhookDelivery {
  readonly url: string;
  readonly event: SentWebhookEvent;
  readonly attempts: readonly WebhookAttempt[];
  readonly delivered: boolean;
}

interface MutableDelivery extends WebhookDelivery {
  attempts: WebhookAttempt[];
  delivered: boolean;
}

export interface WebhookSenderOptions {
  readonly urls: readonly string[];
  readonly secretToken: string;
  readonly clientId: string;
  readonly clock: Clock;
  /** In real time and not by `clock`, because the answer comes from a real server. @default 3000 */
  readonly answerTimeoutMs?: number;
  /** Called after every attempt. */
  onAttempt?(delivery: WebhookDelivery): void;
}

/**
 * Posts events as Zoom does. Each attempt has its own signature and must be answered within 3 s. After no answer or 5xx
 * the event is posted again, after 5, 20 and 60 minutes of the simulator's clock; after 2xx, 3xx and 4xx it is not.
 */
export class WebhookSender {
  readonly deliveries: WebhookDelivery[] = [];
  readonly #options: WebhookSenderOptions;
  #held: MutableDelivery[] | undefined;
  readonly #retries = new Set<Cancel>();
  #closed = false;

  constructor(options: WebhookSenderOptions) {
    this.#options = options;
  }

  send(event: SentWebhookEvent): void {
    if (this.#closed) return;
    for (const url of this.#options.urls) {
      const delivery: MutableDelivery = { url, event, attempts: [], delivered: false };
      this.deliveries.push(delivery);
      if (this.#held) this.#held.push(delivery);
      else void this.#attempt(delivery);
    }
  }

  /** Keeps events back until `release`. */
  hold(): void {
    this.#held ??= [];
  }

  /** Sends the events that were held. @param reversed newest first, as a busy Zoom may deliver them */
  release(reversed: boolean): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const delivery of reversed ? held.reverse() : held) void this.#attempt(delivery);
  }

  /** Sends the last matching event once more, with the same body and a new signature. */
  replay(matches: (event: SentWebhookEvent) => boolean): void {
    const last = this.deliveries.findLast(({ event }) => matches(event));
    if (last) this.send(last.event);
  }

  /** Sends the URL validation challenge. @returns whether the endpoint proved that it knows the secret */
  async validateUrl(url: string): Promise<boolean> {
    const { secretToken, clock } = this.#options;
    const plainToken = randomBytes(16).toString('base64url');
    const event = {
      event: 'endpoint.url_validation',
      event_ts: clock.now(),
      payload: { plainToken },
    };
    const { status, body } = await this.#post(url, JSON.stringify(event));
    const encryptedToken = createHmac('sha256', secretToken).update(plainToken).digest('hex');
    if (status !== 200) return false;
    try {
      const answer = JSON.parse(body) as Record<string, unknown>;
      return answer['plainToken'] === plainToken && answer['encryptedToken'] === encryptedToken;
    } catch {
      return false;
    }
  }

  /** Drops retries that are still waiting. */
  close(): void {
    this.#closed = true;
    for (const cancel of this.#retries) cancel();
  }

  async #attempt(delivery: MutableDelivery): Promise<void> {
    if (this.#closed) return;
    const { clock, onAttempt } = this.#options;
    const { status } = await this.#post(delivery.url, JSON.stringify(delivery.event));
    delivery.attempts.push({ status, atMs: clock.now() });
    delivery.delivered = status === 200 || status === 204;
    onAttempt?.(delivery);
    if (status > 0 && status < 500) return;
    const delayMs = RETRY_DELAYS_MS[delivery.attempts.length - 1];
    if (delayMs === undefined || this.#closed) return;
    const cancel = clock.after(delayMs, () => {
      this.#retries.delete(cancel);
      void this.#attempt(delivery);
    });
    this.#retries.add(cancel);
  }

  #post(url: string, body: string): Promise<{ status: number; body: string }> {
    const timestamp = String(Math.floor(Date.now() / 1000));
    const signature = createHmac('sha256', this.#options.secretToken)
      .update(`v0:${timestamp}:${body}`)
      .digest('hex');
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'Zoom Marketplace/1.0a',
      clientid: this.#options.clientId,
      'x-zm-request-timestamp': timestamp,
      'x-zm-signature': `v0=${signature}`,
      'x-zm-request-id': randomBytes(16).toString('hex'),
      'x-zm-trackingid': `v=2.0;clid=us01;rid=WEB_${randomBytes(8).toString('hex')}`,
    };
    const request = url.startsWith('https:') ? httpsRequest : httpRequest;
    return new Promise((resolve) => {
      const failed = () => resolve({ status: 0, body: '' });
      const signal = AbortSignal.timeout(this.#options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS);
      request(url, { method: 'POST', headers, agent: false, signal }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', failed);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }),
        );
      })
        .on('error', failed)
        .end(body);
    });
  }
}

/** Does one step of a scenario that is about webhooks themselves. */
export function applyWebhookAction(
  webhooks: WebhookSender,
  clock: Clock,
  rtmsStreamId: string,
  action: Action,
): void {
  switch (action.do) {
    case 'hold_webhooks':
      webhooks.hold();
      return;
    case 'release_webhooks':
      webhooks.release(action.reversed);
      return;
    case 'replay_webhook':
      webhooks.replay(
        ({ event, payload }) =>
          event.endsWith(`_${action.kind}`) && payload['rtms_stream_id'] === rtmsStreamId,
      );
      return;
    case 'webhook':
      webhooks.send({ event: action.event, event_ts: clock.now(), payload: action.payload });
      return;
  }
}
