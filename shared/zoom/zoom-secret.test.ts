import { describe, expect, test } from 'vitest';
import { parseSigningSecret, parseWebhookSecret } from './credentials.ts';
import { loadApps, SecretCache } from './zoom-secret.ts';

describe('SecretCache', () => {
  const MINUTE_MS = 60_000;

  /** A cache over a source that the test controls, with the test's clock. */
  function setUp(first = 'first') {
    const source = { value: first, fails: false, reads: 0, nowMs: 0, failures: 0 };
    const cache = new SecretCache({
      load: async () => {
        source.reads += 1;
        if (source.fails) throw new Error('Secrets Manager is away');
        return { value: source.value, hasPlaceholder: source.value === 'replace-me' };
      },
      keepMs: 10 * MINUTE_MS,
      retryMs: 30_000,
      onFailure: () => {
        source.failures += 1;
      },
      now: () => source.nowMs,
    });
    return { source, cache, value: async () => (await cache.get()).value };
  }

  test('reads once for all who ask and keeps the answer for as long as it was told', async () => {
    const { source, value } = setUp();
    await Promise.all([value(), value()]);
    source.value = 'second';
    source.nowMs = 10 * MINUTE_MS - 1;
    expect(await value()).toBe('first');
    expect(source.reads).toBe(1);
    source.nowMs = 10 * MINUTE_MS;
    expect(await value()).toBe('second');
  });

  test('looks at a placeholder every 30 s, until it is filled in', async () => {
    const { source, value } = setUp('replace-me');
    expect(await value()).toBe('replace-me');
    source.value = 'filled in';
    source.nowMs = 29_999;
    expect(await value()).toBe('replace-me');
    source.nowMs = 30_000;
    expect(await value()).toBe('filled in');
    source.nowMs += 9 * MINUTE_MS;
    await value();
    expect(source.reads).toBe(2);
  });

  test('keeps the last good contents when a refresh fails, and tries again after the retry time', async () => {
    const { source, value } = setUp();
    await value();
    source.fails = true;
    source.nowMs = 11 * MINUTE_MS;
    expect(await value()).toBe('first');
    expect(await value()).toBe('first');
    expect(source).toMatchObject({ reads: 2, failures: 1 });
    source.fails = false;
    source.value = 'second';
    source.nowMs += 30_000;
    expect(await value()).toBe('second');
  });

  test('without any contents it throws, and comes back by itself', async () => {
    const { source, cache, value } = setUp();
    source.fails = true;
    await expect(cache.get()).rejects.toThrow('away');
    expect(cache.latest).toBeUndefined();
    source.fails = false;
    expect(await value()).toBe('first');
  });

  test('a refetch that fails keeps the last good contents', async () => {
    const { source, cache, value } = setUp();
    await value();
    source.fails = true;
    expect(await cache.refetch()).toBeUndefined();
    expect(await value()).toBe('first');
  });

  test('refetches at most once in the retry time, for all who ask at the same time', async () => {
    const { source, cache } = setUp();
    await cache.get();
    source.nowMs = MINUTE_MS;
    const fresh = await Promise.all(Array.from({ length: 10 }, () => cache.refetch()));
    expect(fresh.map((secret) => secret?.value)).toEqual(Array.from({ length: 10 }, () => 'first'));
    expect(await cache.refetch()).toBeUndefined();
    expect(source.reads).toBe(2);
    source.nowMs += 30_000;
    expect(await cache.refetch()).toBeDefined();
    expect(source.reads).toBe(3);
  });
});

describe('loadApps', () => {
  const own = { clientId: 'id', clientSecret: 'hush', webhookSecretTokens: ['token'] };
  const SECRETS: Record<string, string> = {
    zoom: JSON.stringify({ apps: { default: own } }),
    synthetic: JSON.stringify({ synthetic: 'random' }),
    clash: JSON.stringify({ apps: { default: { ...own, clientSecret: 'another' } } }),
    broken: '{',
  };
  const read = async (id: string) => {
    const json = SECRETS[id];
    if (json === undefined) throw new Error('no such secret');
    return json;
  };

  async function signing(ids: string) {
    const leftOut: unknown[] = [];
    const { apps } = await loadApps(ids, read, parseSigningSecret, (error) => leftOut.push(error));
    return { names: [...apps.keys()].sort(), leftOut: leftOut.length, apps };
  }

  test('joins the apps of several secrets', async () => {
    expect(await signing('zoom, synthetic')).toMatchObject({
      names: ['default', 'synthetic'],
      leftOut: 0,
    });
  });

  test.each(['broken', 'missing'])('goes on without a second secret that is %s', async (other) => {
    expect(await signing(`zoom,${other}`)).toMatchObject({ names: ['default'], leftOut: 1 });
  });

  test('takes an app that two secrets hold from the first one, and says so', async () => {
    const { apps, leftOut } = await signing('zoom,clash');
    expect(apps.get('default')?.clientSecret).toBe('hush');
    expect(leftOut).toBe(1);
  });

  test('fails without the first secret', async () => {
    await expect(signing('missing,synthetic')).rejects.toThrow('no such secret');
  });

  test('the secret of the synthetic meeting gives one app, the same to signer and verifier', () => {
    const json = SECRETS['synthetic'] as string;
    expect([...parseSigningSecret(json).apps.keys()]).toEqual(['synthetic']);
    const { webhookSecretTokens } = parseWebhookSecret(json).apps.get('synthetic') ?? {};
    expect(webhookSecretTokens).toHaveLength(1);
    expect(webhookSecretTokens?.[0]).not.toBe(
      parseSigningSecret(json).apps.get('synthetic')?.clientSecret,
    );
  });
});
