import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../shared/logger.ts';
import type { HandshakeCredentials } from '../../shared/zoom/credentials.ts';
import type { RtmsJoin } from '../events.ts';
import { signHandshake } from '../protocol/handshake-signature.ts';

/**
 * Reads the app's credentials again, because Zoom refused what the last ones signed. Called every 5 s while
 * Zoom's window is open, so whoever fetches them from a server has to bound how often.
 */
export type RenewCredentials = (signal: AbortSignal) => Promise<HandshakeCredentials>;

/** Pause between two looks for other credentials. */
const LOOK_MS = 5_000;

/**
 * Signs the handshakes of one client, signaling and media alike.
 *
 * The client secret may be rotated while a meeting runs: Zoom then answers status 3 to the next handshake,
 * although the meeting is ours. A signature that Zoom refused is never sent again, so a wrong secret costs
 * one handshake and not one a second; another signature is tried as soon as there is one.
 */
export class HandshakeSigner {
  readonly #join: RtmsJoin;
  readonly #renew: RenewCredentials | undefined;
  readonly #logger: Logger;
  #signature: string;

  readonly #lookMs: number;

  /** @param renew undefined: what was given to `join` is all there is, and a refusal is final */
  constructor(
    join: RtmsJoin,
    renew: RenewCredentials | undefined,
    logger: Logger,
    lookMs = LOOK_MS,
  ) {
    this.#lookMs = lookMs;
    this.#join = join;
    this.#renew = renew;
    this.#logger = logger;
    this.#signature = 'signature' in join ? join.signature : signHandshake(join);
  }

  get signature(): string {
    return this.#signature;
  }

  get canRenew(): boolean {
    return this.#renew !== undefined;
  }

  /**
   * Waits for another signature than the one that Zoom refused.
   *
   * @returns true when there is one; false when the signal was aborted before
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
