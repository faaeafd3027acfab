import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../shared/logger.ts';
import { type HandshakeCredentials, signHandshake } from '../protocol/client-messages.ts';
import type { Product } from '../protocol/product.ts';

/** Which stream a client joins, where it is, and what signs its handshakes. */
export type RtmsJoin = {
  readonly product: Product;
  readonly entityId: string;
  readonly rtmsStreamId: string;
  readonly serverUrls: readonly string[];
} & (
  | HandshakeCredentials
  /** The result of `signHandshake`, made by somebody who holds the secret. */
  | { readonly signature: string }
);

/**
 * Reads the app's credentials again after Zoom refused a signature. Called every 5 s while Zoom's window is open: an
 * implementation that asks a server has to limit how often it does.
 */
export type RenewCredentials = (signal: AbortSignal) => Promise<HandshakeCredentials>;

/** Pause between two readings of the credentials. */
const LOOK_MS = 5_000;

/**
 * Signs the handshakes of one client, signaling and media alike.
 *
 * The client secret may be rotated while a meeting runs: Zoom then answers status 3 to the next handshake although
 * nothing else is wrong. A signature that Zoom refused is never sent again, so that a wrong secret costs one handshake
 * and not one a second. A new signature is tried as soon as there is one.
 */
export class HandshakeSigner {
  readonly #join: RtmsJoin;
  readonly #renew: RenewCredentials | undefined;
  readonly #logger: Logger;
  readonly #lookMs: number;
  #signature: string;

  /** @param renew undefined: there are no other credentials than those of `join`, so a refusal is final */
  constructor(
    join: RtmsJoin,
    renew: RenewCredentials | undefined,
    logger: Logger,
    lookMs = LOOK_MS,
  ) {
    this.#join = join;
    this.#renew = renew;
    this.#logger = logger;
    this.#lookMs = lookMs;
    this.#signature = 'signature' in join ? join.signature : signHandshake(join);
  }

  get signature(): string {
    return this.#signature;
  }

  get canRenew(): boolean {
    return this.#renew !== undefined;
  }

  /**
   * Waits until the signature is another one than Zoom refused.
   *
   * @returns true when it is; false when the signal was aborted before
   */
  async renewed(refused: string, signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      if (this.#signature === refused) await this.#look(signal);
      if (this.#signature !== refused) return !signal.aborted;
      await sleep(this.#lookMs, undefined, { signal }).catch(() => {});
    }
    return false;
  }

  async #look(signal: AbortSignal): Promise<void> {
    try {
      const credentials = await this.#renew?.(signal);
      if (credentials === undefined) return;
      const { entityId, rtmsStreamId } = this.#join;
      this.#signature = signHandshake({ ...credentials, entityId, rtmsStreamId });
    } catch (error) {
      this.#logger.warn('credentials not read again', { event: 'credentials_failed', error });
    }
  }
}
