import { ServiceError } from '../errors.ts';
import type { ZoomApps } from './credentials.ts';

/** What a cache has to know of the secret that it holds. */
export interface CachedSecret {
  /** Some value is still the one that the first deployment wrote, so the deployer is about to fill it in. */
  readonly hasPlaceholder: boolean;
}

export interface SecretCacheOptions<Secret extends CachedSecret> {
  /** Reads and parses the secret as it is now. */
  readonly load: () => Promise<Secret>;
  /** How long contents are used without reading again; a placeholder for 30 s at most. */
  readonly keepMs: number;
  /** Least time between two reads after a refusal or a failure, so that neither makes a call per request. */
  readonly retryMs: number;
  /** Told of every failed read. */
  readonly onFailure: (error: unknown) => void;
  /** Ms; only differences count. */
  readonly now: () => number;
}

/** A placeholder is being filled in right now, and the first meeting after that must not be missed. */
const PLACEHOLDER_KEEP_MS = 30_000;

/**
 * A secret that is kept in memory and read again when it is due, or when somebody has refused what it signed. When a
 * read fails, the last good contents stay in use.
 *
 * ```text
 *   read ──── keepMs ──── due: get() reads ── fails ── retryMs ── get() reads
 *     │
 *     └─ a signature is refused: refetch() reads, at most once in retryMs for all who ask
 * ```
 */
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
   * Reads again, because a signature made with the contents was refused, or one that they should fit did not: the
   * secret may have been rotated.
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

/**
 * Reads the apps of several secrets: the deployer's own, and that of the synthetic meeting, which the deployment writes
 * itself. Only the first one is needed; a secret behind it that cannot be read is left out with its apps.
 *
 * @param ids ids of the secrets, separated by commas
 * @param read contents of one secret
 * @param onLeftOut told of each secret or app that is left out
 * @throws what `read` and `parse` throw for the first one
 */
export async function loadApps<App>(
  ids: string,
  read: (id: string) => Promise<string>,
  parse: (json: string) => ZoomApps<App>,
  onLeftOut: (error: unknown) => void,
): Promise<ZoomApps<App>> {
  const [own = '', ...others] = ids.split(',').map((id) => id.trim());
  const apps = new Map<string, App>();
  const added = others.map(async (id) => parse(await read(id)));
  for (const result of await Promise.allSettled(added)) {
    if (result.status === 'rejected') onLeftOut(result.reason);
    else for (const [name, app] of result.value.apps) apps.set(name, app);
  }
  const first = parse(await read(own));
  for (const name of apps.keys()) {
    if (first.apps.has(name))
      onLeftOut(new ServiceError('config/invalid', `two secrets hold the app "${name}"`));
  }
  return { ...first, apps: new Map([...apps, ...first.apps]) };
}
