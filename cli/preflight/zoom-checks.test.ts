import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ZoomApp } from '../../shared/zoom/credentials.ts';
import { EXAMPLE_API } from '../../simulator/api/api-server.ts';
import { type Simulator, startSimulator } from '../../simulator/simulator.ts';
import { checkApi } from './zoom-checks.ts';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator();
});
afterAll(() => simulator.close());

const APP: ZoomApp = { clientId: 'id', clientSecret: 'secret', webhookSecretTokens: ['token'] };

test('the credentials of each app for the REST API are tried, and never shown', async () => {
  const { apiUrl, oauthUrl } = simulator;
  const api = { ...EXAMPLE_API };
  const apps = new Map<string, ZoomApp>([
    ['default', { ...APP, api }],
    ['sales', { ...APP, api: { ...api, clientSecret: 'hush' } }],
    ['without', APP],
  ]);
  const checks = await checkApi(apps, { apiUrl, oauthUrl });
  expect(checks).toMatchObject([
    { status: 'ok', found: 'app default: Zoom gives a token' },
    { status: 'failed', found: expect.stringMatching(/^app sales: credentials invalid \(Invalid/) },
  ]);
  expect(JSON.stringify(checks)).not.toContain('hush');
});

test('a Zoom that does not answer is told apart from one that refuses', async () => {
  const nowhere = { apiUrl: 'http://127.0.0.1:9', oauthUrl: 'http://127.0.0.1:9' };
  const apps = new Map<string, ZoomApp>([['default', { ...APP, api: EXAMPLE_API }]]);
  expect(await checkApi(apps, nowhere)).toMatchObject([{ status: 'failed', unreachable: true }]);
});
