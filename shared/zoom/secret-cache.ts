/** What a cache holds: it has to know whether the deployer has filled it in yet. */
export interface CachedSecret {
  /** Some value is still the one that the deployment wrote. */
  readonly hasPlaceholder: boolean;
}

export interface SecretCacheOptions<Secret extends CachedSecret> {
  /** Reads and parses the secret as it is now. */
  readonly load: () => Promise<Secret>;
  /** How long contents are used without asking again. A placeholder is asked about every 30 s. */
  readonly keepMs: number;
  /** Least time between two reads that a refusal or a failure asked for, so that neither becomes a storm. */
  readonly retryMs: number;
  /** Told of every failed read. */
  readonly onFailure: (error: unknown) => void;
  /** Ms; only differences count. */
  readonly now: () => number;
}

/** Somebody is filling the secret in right now: the first meeting after that must not be missed. */
const PLACEHOLDER_KEEP_MS = 30_000;

/** A secret, cached. When a refresh fails the last good contents stay in use. */
export class SecretCache<Secret extends CachedSecret> {
  readonly #options: SecretCacheOptions<Secret>;
  #latest: Secret | undefined;
  #dueAtMs = Number.NEGATIVE_INFINITY;
  #reading: Promise<Secret> | undefined;
  #refetchedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: SecretCacheOptions<Secret>) {
    this.#options = options;
  }

  /** The last good contents, however old; undefined before the first. */
  get latest(): Secret | undefined {
    return this.#latest;
  }

  /**
   * The contents, read again when they are due.
   *
   * @throws what `load` throws, when there are no contents yet
   */
  async get(): Promise<Secret> {
    const latest = this.#latest;
    if (latest !== undefined && this.#options.now() < this.#dueAtMs) return latest;
    try {
      return await this.read();
    } catch (error) {
      if (latest === undefined) throw error;
      this.#dueAtMs = this.#options.now() + this.#options.retryMs;
      return latest;
    }
  }

  /**
   * Reads again because somebody refused what the contents signed, or signed with others: the secret may have
   * been rotated.
   *
   * @returns undefined when that was tried a moment ago, or failed
   */
  async refetch(): Promise<Secret | undefined> {
    const nowMs = this.#options.now();
    if (this.#reading === undefined) {
      if (nowMs - this.#refetchedAtMs < this.#options.retryMs) return undefined;
      this.#refetchedAtMs = nowMs;
    }
    return await this.read().catch(() => undefined);
  }

  /** Reads now, once for all who ask at the same time. @throws what `load` throws */
  read(): Promise<Secret> {
    this.#reading ??= this.#load().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  async #load(): Promise<Secret> {
    const { load, keepMs, now, onFailure } = this.#options;
    try {
      const secret = await load();
      this.#latest = secret;
      const isFilledIn = !secret.hasPlaceholder;
      this.#dueAtMs = now() + (isFilledIn ? keepMs : Math.min(keepMs, PLACEHOLDER_KEEP_MS));
      return secret;
    } catch (error) {
      onFailure(error);
      throw error;
    }
  }
}
