import type { Server } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAwsRouter } from '../../local/aws/router.ts';
import { LocalSecrets } from '../../local/aws/secrets-manager.ts';
import { closeServer, listen } from '../../simulator/sockets/listen.ts';
import { AwsClients } from './aws.ts';
import { readZoomSecret } from './zoom-apps.ts';

const SIGNING = { clientId: 'id', clientSecret: 'secret' };
const TOKENS = { webhookSecretTokens: ['token'] };

let server: Server;
let url: string;
beforeAll(async () => {
  const secrets = new LocalSecrets();
  const put = (id: string, apps: object) => secrets.put(id, JSON.stringify({ apps }));
  put('combined', { default: { ...SIGNING, ...TOKENS } });
  put('signing', { default: SIGNING, 'team-b': SIGNING });
  put('tokens', { default: TOKENS, 'team-b': TOKENS });
  put('tokens of one', { default: TOKENS });
  server = createAwsRouter(secrets.operations());
  url = `http://127.0.0.1:${await listen(server, 0)}`;
});
afterAll(() => closeServer(server));

async function read(names: { secretId: string; webhookSecretId?: string }) {
  const deployment = { ...names, region: 'us-east-1', endpoints: { secretsManager: url } };
  const aws = new AwsClients(deployment);
  try {
    return Object.fromEntries(await readZoomSecret({ aws, deployment }));
  } finally {
    aws.destroy();
  }
}

test('Zoom apps are read from one secret that has everything', async () => {
  const whole = { default: { ...SIGNING, ...TOKENS } };
  expect(await read({ secretId: 'combined' })).toEqual(whole);
  expect(await read({ secretId: 'combined', webhookSecretId: 'combined' })).toEqual(whole);
});

test('Zoom apps are joined from two secrets', async () => {
  expect(await read({ secretId: 'signing', webhookSecretId: 'tokens' })).toEqual({
    default: { ...SIGNING, ...TOKENS },
    'team-b': { ...SIGNING, ...TOKENS },
  });
});

test('an app that is missing in one of the two secrets is named', async () => {
  await expect(read({ secretId: 'signing', webhookSecretId: 'tokens of one' })).rejects.toThrow(
    /missing in one of them: team-b/,
  );
});
