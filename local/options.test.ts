import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readDevOptions } from './options.ts';

const folder = mkdtempSync(join(tmpdir(), 'rtms-options-'));
afterAll(() => rmSync(folder, { recursive: true }));

const LIVE = {
  ZM_RTMS_CLIENT: 'client',
  ZM_RTMS_SECRET: 'secret',
  ZM_RTMS_WEBHOOK_SECRET: 'new,old',
};
const noFile = join(folder, 'absent');

test('npm start needs no variables for the simulated meeting', () => {
  const options = readDevOptions([], {}, noFile);
  expect(options).toMatchObject({
    live: false,
    json: false,
    runners: 2,
    port: 0,
    path: '/webhook',
  });
});

test('npm start -- --live reads its variables, two webhook tokens during a rotation', () => {
  const options = readDevOptions(['--live', '--runners', '3'], LIVE, noFile);
  expect(options).toMatchObject({
    live: true,
    runners: 3,
    port: 8080,
    path: '/webhook',
    allowedHosts: 'zoom.us,zoom.com,zoomgov.com',
    credentials: { clientId: 'client', webhookSecretTokens: ['new', 'old'] },
  });
});

test('npm start -- --live names every missing and wrong variable at once', () => {
  expect(() =>
    readDevOptions(
      ['--live'],
      { ZM_RTMS_PORT: 'http', RTMS_MEDIA: '{"audio":{"codec":"MP3"}}' },
      noFile,
    ),
  ).toThrow(/ZM_RTMS_PORT.*ZM_RTMS_CLIENT.*ZM_RTMS_SECRET.*ZM_RTMS_WEBHOOK_SECRET.*RTMS_MEDIA/s);
});

test('variables missing in the environment are read from .env', () => {
  const file = join(folder, 'env');
  writeFileSync(file, 'ZM_RTMS_CLIENT=fromFile\nZM_RTMS_PATH=/zoom\n');
  expect(readDevOptions(['--live'], { ...LIVE, ZM_RTMS_CLIENT: '' }, file)).toMatchObject({
    path: '/zoom',
    credentials: { clientId: 'fromFile' },
  });
  expect(readDevOptions(['--live'], LIVE, file)).toMatchObject({
    credentials: { clientId: 'client' },
  });
});

test.each([
  ['UTF-8 with a byte order mark', (text: string) => Buffer.from(`\ufeff${text}`)],
  ['UTF-16 as PowerShell writes it', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')],
])('a .env in %s is read, without white space around its values', (_, encode) => {
  const file = join(mkdtempSync(join(tmpdir(), 'rtms-env-')), '.env');
  const lines = ['ZM_RTMS_CLIENT=client ', 'ZM_RTMS_SECRET=" secret "', 'ZM_RTMS_WEBHOOK_SECRET=t'];
  writeFileSync(file, encode(`${lines.join('\r\n')}\r\n`));
  const options = readDevOptions(['--live'], { ZM_RTMS_PORT: ' 9000\n' }, file);
  expect(options?.port).toBe(9_000);
  expect(options?.credentials).toEqual({
    clientId: 'client',
    clientSecret: 'secret',
    webhookSecretTokens: ['t'],
  });
});

test('an unreadable .env is refused by its name', () => {
  expect(() => readDevOptions([], {}, folder)).toThrow(`${folder} cannot be read`);
});

test('npm start refuses an unknown option', () => {
  expect(() => readDevOptions(['--loud'], {}, noFile)).toThrow(/--loud/);
});

test('credentials for the REST API come as three, and its addresses may be others', () => {
  const three = { ZM_RTMS_API_ACCOUNT: 'a', ZM_RTMS_API_CLIENT: 'c', ZM_RTMS_API_SECRET: 's' };
  const url = 'http://127.0.0.1:1/v2';
  const options = readDevOptions(['--live'], { ...LIVE, ...three, ZM_RTMS_API_URL: url }, noFile);
  expect(options).toMatchObject({
    credentials: { api: { accountId: 'a', clientId: 'c', clientSecret: 's' } },
    api: { apiUrl: url, oauthUrl: 'https://zoom.us/oauth/token' },
  });
  const half = { ...LIVE, ZM_RTMS_API_CLIENT: 'c' };
  expect(() => readDevOptions(['--live'], half, noFile)).toThrow(/ZM_RTMS_API_ACCOUNT.*together/);
});

test('one Video SDK variable without the other is refused', () => {
  const half = { ...LIVE, ZM_RTMS_VIDEO_SDK_KEY: 'key' };
  expect(() => readDevOptions(['--live'], half, noFile)).toThrow(/go together/);
});

test('without a runner the catcher serves, and a runner takes as long to start as is asked', () => {
  const seconds = ['--live', '--runners', '0', '--task-start-seconds', '20'];
  expect(readDevOptions(seconds, LIVE, noFile)).toMatchObject({
    runners: 0,
    catcher: { taskStartMs: 20_000 },
  });
  expect(readDevOptions(['--runners', '1'], {}, noFile)?.catcher).toBeUndefined();
  expect(() => readDevOptions(['--task-start-seconds', '20'], {}, noFile)).toThrow(/--runners 0/);
});
