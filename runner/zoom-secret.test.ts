import type { Server } from 'node:http';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { closeServer, listen } from '../local/aws/listen.ts';
import { createAwsRouter } from '../local/aws/router.ts';
import { LocalSecrets } from '../local/aws/secrets-manager.ts';
import { SILENT_LOGGER } from '../shared/logger.ts';
import { ZoomSecretCache } from './zoom-secret.ts';

const secretOf = (clientSecret: string) =>
  JSON.stringify({
    apps: { default: { clientId: 'id', clientSecret, webhookSecretTokens: ['token'] } },
  });

let secrets: LocalSecrets;
let server: Server;
let client: SecretsManagerClient;
let cache: ZoomSecretCache;

beforeAll(async () => {
  secrets = new LocalSecrets();
  server = createAwsRouter(secrets.operations());
  client = new SecretsManagerClient({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${await listen(server, 0)}`,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
});
afterAll(async () => {
  client.destroy();
  await closeServer(server);
});
beforeEach(() => {
  secrets.put('zoom', secretOf('first'));
  secrets.reads.clear();
  cache = new ZoomSecretCache(client, 'zoom', SILENT_LOGGER);
});
afterEach(() => vi.restoreAllMocks());

test('reads the secret once for many sessions', async () => {
  await cache.read();
  for (let i = 0; i < 3; i++) {
    expect(await cache.credentials('default', 'meeting')).toEqual({
      clientId: 'id',
      clientSecret: 'first',
    });
  }
  expect(secrets.reads.get('zoom')).toBe(1);
});

test('finds a rotated secret after ten minutes, and uses the old one until it has', async () => {
  await cache.read();
  secrets.put('zoom', secretOf('second'));
  const later = performance.now() + 10 * 60_000 + 1;
  vi.spyOn(performance, 'now').mockReturnValue(later);
  expect((await cache.credentials('default', 'meeting')).clientSecret).toBe('first');
  await vi.waitFor(async () => {
    expect((await cache.credentials('default', 'meeting')).clientSecret).toBe('second');
  });
});

test('refuses an app that the secret does not know', async () => {
  await expect(cache.credentials('other', 'meeting')).rejects.toMatchObject({
    code: 'config/invalid',
  });
});

test('says that the secret cannot be read', async () => {
  const missing = new ZoomSecretCache(client, 'missing', SILENT_LOGGER);
  await expect(missing.read()).rejects.toMatchObject({ code: 'config/invalid' });
});
