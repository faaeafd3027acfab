import { describe, expect, test } from 'vitest';
import { PRODUCTS } from '../../rtms/protocol/product.ts';
import { ServiceError } from '../errors.ts';
import {
  handshakeCredentials,
  parseSigningSecret,
  parseWebhookSecret,
  parseZoomSecret,
  type ZoomApp,
} from './credentials.ts';

const app = { clientId: 'id', clientSecret: 'hush', webhookSecretTokens: ['current', 'previous'] };

function parsed(secret: unknown): ServiceError | ReturnType<typeof parseZoomSecret> {
  try {
    return parseZoomSecret(typeof secret === 'string' ? secret : JSON.stringify(secret));
  } catch (error) {
    return error as ServiceError;
  }
}

describe('the Zoom secret', () => {
  test('holds several apps by name', () => {
    const { apps } = parseZoomSecret(JSON.stringify({ apps: { default: app, 'team-b': app } }));
    expect([...apps.keys()]).toEqual(['default', 'team-b']);
    expect(apps.get('default')).toEqual(app);
  });

  test.each([
    ['text that is not JSON', '{"clientSecret": "hush"', 'not JSON'],
    ['no apps', {}, 'apps'],
    ['an empty set of apps', { apps: {} }, 'names no app'],
    [
      'an app without a client secret',
      { apps: { default: { ...app, clientSecret: '' } } },
      'apps.default.clientSecret',
    ],
    [
      'no token',
      { apps: { default: { ...app, webhookSecretTokens: [] } } },
      'apps.default.webhookSecretTokens',
    ],
    [
      'three tokens',
      { apps: { default: { ...app, webhookSecretTokens: ['a', 'b', 'c'] } } },
      'webhookSecretTokens',
    ],
    ['an app name that no path can hold', { apps: { 'a/b': app } }, 'a/b'],
  ])('with %s is refused, naming the place and no value', (_what, secret, named) => {
    const error = parsed(secret);
    expect(error).toBeInstanceOf(ServiceError);
    expect(error).toMatchObject({
      code: 'config/invalid',
      message: expect.stringContaining(named),
    });
    expect(
      JSON.stringify([error, (error as ServiceError).message, (error as ServiceError).cause]),
    ).not.toContain('hush');
  });

  test('may begin with a byte order mark, and its values may end in white space', () => {
    const json = `\uFEFF${JSON.stringify({ apps: { default: { ...app, clientSecret: ' hush\n' } } })}`;
    expect(parseZoomSecret(json).apps.get('default')).toEqual(app);
  });

  test('of the webhook may hold tokens alone, of the runners no tokens; a combined one serves both', () => {
    const { webhookSecretTokens, ...signing } = app;
    const json = (value: object) => JSON.stringify({ apps: { default: value } });
    const tokens = { webhookSecretTokens };
    expect(parseWebhookSecret(json(tokens)).apps.get('default')).toEqual(tokens);
    expect(parseWebhookSecret(json(app)).apps.get('default')).toEqual(tokens);
    expect(parseSigningSecret(json(signing)).apps.get('default')).toEqual(signing);
    expect(parseSigningSecret(json(app)).apps.get('default')).toEqual(signing);
    expect(() => parseSigningSecret(json(tokens))).toThrow('apps.default.clientId');
    expect(() => parseWebhookSecret(json(signing))).toThrow('apps.default.webhookSecretTokens');
  });

  test.each([
    ['a token', { ...app, webhookSecretTokens: ['replace-me-1'] }, true],
    ['a client secret', { ...app, clientSecret: 'replace-me' }, true],
    ['nothing', app, false],
  ])('knows when %s is still the placeholder', (_what, value, hasPlaceholder) => {
    expect(parseZoomSecret(JSON.stringify({ apps: { default: value } }))).toMatchObject({
      hasPlaceholder,
    });
  });

  test('has no app named like a property of every object', () => {
    expect(
      parseZoomSecret(JSON.stringify({ apps: { default: app } })).apps.get('constructor'),
    ).toBeUndefined();
  });

  test('is read with a byte order mark before it and white space around its values', () => {
    const app = { clientId: ' id\n', clientSecret: 'secret ', webhookSecretTokens: [' token\t'] };
    const json = `\ufeff${JSON.stringify({ apps: { default: app } })}`;
    expect(parseZoomSecret(json).apps.get('default')).toEqual({
      clientId: 'id',
      clientSecret: 'secret',
      webhookSecretTokens: ['token'],
    });
  });
});

describe('handshake credentials', () => {
  const withSdk: ZoomApp = { ...app, videoSdkKey: 'key', videoSdkSecret: 'sdk-hush' };

  test.each(PRODUCTS.filter((product) => product !== 'session'))(
    'of %s are the app’s own',
    (product) => {
      expect(handshakeCredentials(withSdk, product)).toEqual({
        clientId: 'id',
        clientSecret: 'hush',
      });
    },
  );

  test('of a session are the Video SDK’s', () => {
    expect(handshakeCredentials(withSdk, 'session')).toEqual({
      clientId: 'key',
      clientSecret: 'sdk-hush',
    });
  });

  test('of a session without Video SDK credentials do not exist', () => {
    expect(() => handshakeCredentials(app, 'session')).toThrow(
      expect.objectContaining({ code: 'config/invalid' }),
    );
  });
});

describe('API credentials', () => {
  const api = { accountId: 'account', clientId: 'api', clientSecret: 'hush' };
  const json = (value: object) => JSON.stringify({ apps: { default: { ...app, api: value } } });

  test('may stand in an app', () => {
    expect(
      parseSigningSecret(json({ ...api, clientId: ' api\n' })).apps.get('default')?.api,
    ).toEqual(api);
    expect(parseWebhookSecret(json(api)).apps.get('default')).not.toHaveProperty('api');
  });

  test('are refused when one is missing, naming the place', () => {
    expect(() => parseSigningSecret(json({ ...api, accountId: '' }))).toThrow(
      'apps.default.api.accountId',
    );
  });
});
