import { expect, test } from 'vitest';
import { parseSigningSecret, parseWebhookSecret } from './credentials.ts';
import { loadApps } from './load-apps.ts';

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

test('the first secret wins where two hold one app, and it is told', async () => {
  const { apps, leftOut } = await signing('zoom,clash');
  expect(apps.get('default')?.clientSecret).toBe('hush');
  expect(leftOut).toBe(1);
});

test('cannot go on without the first', async () => {
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
