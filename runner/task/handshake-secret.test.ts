import type { Server } from 'node:http';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { createAwsRouter } from '../../local/aws/router.ts';
import { LocalSecrets } from '../../local/aws/secrets-manager.ts';
import { SILENT_LOGGER } from '../../shared/logger.ts';
import { closeServer, listen } from '../../simulator/sockets/listen.ts';
import { HandshakeSecret } from './handshake-secret.ts';

const secretOf = (clientSecret: string, apps = ['default']) =>
  JSON.stringify({
    apps: Object.fromEntries(apps.map((name) => [name, { clientId: 'id', clientSecret }])),
  });

let secrets: LocalSecrets;
let server: Server;
let client: SecretsManagerClient;
let secret: HandshakeSecret;

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
  secret = create('zoom');
});
afterEach(() => vi.restoreAllMocks());

const create = (secretId: string) =>
  new HandshakeSecret(client, { secretId, refreshMs: 600_000 }, SILENT_LOGGER);
const clientSecret = async () => (await secret.credentials('default', 'meeting')).clientSecret;
const after = (ms: number) => {
  const nowMs = performance.now() + ms;
  vi.spyOn(performance, 'now').mockReturnValue(nowMs);
};

test('many sessions read the secret once', async () => {
  await secret.read();
  for (let i = 0; i < 3; i++) {
    expect(await secret.credentials('default', 'meeting')).toEqual({
      clientId: 'id',
      clientSecret: 'first',
    });
  }
  expect(secrets.reads.get('zoom')).toBe(1);
});

test('a rotated secret signs the first session after the refresh that found it', async () => {
  await secret.read();
  secrets.put('zoom', secretOf('second'));
  after(600_000);
  await secret.refresh();
  expect(await clientSecret()).toBe('second');
});

test('a filled-in placeholder signs the first session half a minute later', async () => {
  secrets.put('zoom', secretOf('replace-me'));
  await secret.read();
  secrets.put('zoom', secretOf('filled in'));
  after(30_000);
  await secret.refresh();
  expect(await clientSecret()).toBe('filled in');
});

test('a refused signature reads the secret at once, every 5 s at most for all sessions', async () => {
  await secret.read();
  secrets.put('zoom', secretOf('second'));
  const renewals = Array.from({ length: 5 }, () => secret.renewed('default', 'meeting'));
  for (const renewed of await Promise.all(renewals)) {
    expect(renewed.clientSecret).toBe('second');
  }
  await secret.renewed('default', 'meeting');
  expect(secrets.reads.get('zoom')).toBe(2);
  after(5_000);
  await secret.renewed('default', 'meeting');
  expect(secrets.reads.get('zoom')).toBe(3);
});

test('an app that was added after the last read is found', async () => {
  await secret.read();
  secrets.put('zoom', secretOf('first', ['default', 'team-b']));
  expect(await secret.credentials('team-b', 'meeting')).toMatchObject({ clientId: 'id' });
});

test('a secret that holds the webhook tokens too is accepted', async () => {
  const app = { clientId: 'id', clientSecret: 'both', webhookSecretTokens: ['token'] };
  secrets.put('zoom', JSON.stringify({ apps: { default: app } }));
  expect(await clientSecret()).toBe('both');
});

test('an app that the secret does not know is refused', async () => {
  await expect(secret.credentials('other', 'meeting')).rejects.toMatchObject({
    code: 'config/invalid',
  });
});

test('a secret that cannot be read is an error of the configuration', async () => {
  await expect(create('missing').read()).rejects.toMatchObject({ code: 'config/invalid' });
});
