import { expect, test } from 'vitest';
import { SILENT_LOGGER } from '../../shared/logger.ts';
import { zoomSecret } from '../../test/front-door.ts';
import { ZoomSecretCache } from './zoom-secret.ts';

const MINUTE_MS = 60_000;

/** A cache over a source that the test controls, with the test's clock. */
function setUp() {
  const source = { json: zoomSecret(['first']), fails: false, fetches: 0, nowMs: 0 };
  const fetch = async () => {
    source.fetches += 1;
    if (source.fails) throw new Error('Secrets Manager is away');
    return source.json;
  };
  const cache = new ZoomSecretCache(fetch, SILENT_LOGGER, () => source.nowMs);
  const tokens = async () => (await cache.get()).apps.get('default')?.webhookSecretTokens;
  return { source, cache, tokens };
}

test('asks once and keeps the answer for ten minutes', async () => {
  const { source, tokens } = setUp();
  await Promise.all([tokens(), tokens()]);
  source.json = zoomSecret(['second']);
  source.nowMs = 10 * MINUTE_MS - 1;
  expect(await tokens()).toEqual(['first']);
  expect(source.fetches).toBe(1);
  source.nowMs = 10 * MINUTE_MS;
  expect(await tokens()).toEqual(['second']);
});

test('keeps the last good contents when a refresh fails, and tries again half a minute later', async () => {
  const { source, tokens } = setUp();
  await tokens();
  source.fails = true;
  source.nowMs = 11 * MINUTE_MS;
  expect(await tokens()).toEqual(['first']);
  expect(await tokens()).toEqual(['first']);
  expect(source.fetches).toBe(2);
  source.fails = false;
  source.json = zoomSecret(['second']);
  source.nowMs += MINUTE_MS / 2;
  expect(await tokens()).toEqual(['second']);
});

test('keeps the last good contents when the new ones are malformed', async () => {
  const { source, cache, tokens } = setUp();
  await tokens();
  source.json = '{"apps":';
  expect(await cache.refetch()).toBeUndefined();
  expect(await tokens()).toEqual(['first']);
});

test('without any contents it is unavailable, and comes back by itself', async () => {
  const { source, cache, tokens } = setUp();
  source.fails = true;
  await cache.prefetch();
  await expect(cache.get()).rejects.toMatchObject({
    code: 'webhook/secret-unavailable',
    retryable: true,
    statusCode: 503,
  });
  source.fails = false;
  expect(await tokens()).toEqual(['first']);
});

test('asks again at most twice a minute when signatures do not fit', async () => {
  const { source, cache } = setUp();
  await cache.get();
  source.nowMs = MINUTE_MS;
  const fresh = await Promise.all(Array.from({ length: 10 }, () => cache.refetch()));
  expect(fresh.filter((secret) => secret !== undefined)).toHaveLength(1);
  expect(source.fetches).toBe(2);
  source.nowMs += MINUTE_MS / 2;
  expect(await cache.refetch()).toBeDefined();
  expect(source.fetches).toBe(3);
});
