import { isPlaceholder, type ZoomApp } from '../../shared/zoom/credentials.ts';
import type { Context } from '../command.ts';
import { readZoomSecret } from '../deployment/zoom-apps.ts';
import { attempt, type Check } from './check.ts';

const SHAPE =
  'Put {"apps": {"default": {"clientId", "clientSecret", "webhookSecretTokens": ["…"]}}} into it:\n' +
  'aws secretsmanager put-secret-value --secret-id <id> --secret-string file://zoom.json (docs/deploy.md)';

/** Shape of the Zoom secret, app by app. Values are looked at and never shown. */
export async function checkSecret(
  context: Context,
): Promise<{ checks: readonly Check[]; apps: ReadonlyMap<string, ZoomApp> }> {
  let apps: ReadonlyMap<string, ZoomApp> = new Map();
  const checks = await attempt('Zoom secret', SHAPE, async () => {
    apps = await readZoomSecret(context);
    return [...apps].map(([name, app]) => checkApp(name, app));
  });
  return { checks, apps };
}

function checkApp(appName: string, app: ZoomApp): Check {
  const name = 'Zoom secret';
  const { clientId, clientSecret, webhookSecretTokens: tokens, videoSdkKey, videoSdkSecret } = app;
  const all = [clientId, clientSecret, ...tokens];
  if (all.some(isPlaceholder)) {
    const found = `app ${appName}: the placeholder of the first deployment`;
    return { name, status: 'failed', found, fix: SHAPE };
  }
  if (tokens.includes(clientSecret)) {
    const found = `app ${appName}: the webhook secret token is the client secret`;
    const fix = 'Zoom shows the secret token beside the event subscriptions; it is another one.';
    return { name, status: 'failed', found, fix };
  }
  if ((videoSdkKey === undefined) !== (videoSdkSecret === undefined)) {
    const found = `app ${appName}: videoSdkKey and videoSdkSecret go together`;
    return { name, status: 'failed', found, fix: SHAPE };
  }
  const sdk = videoSdkKey === undefined ? 'no Video SDK key' : 'with Video SDK key';
  if (tokens.length > 1) {
    const found = `app ${appName}: two webhook tokens, ${sdk}`;
    const fix =
      "A rotation is going on: take the old token out when Zoom's repeats are over (docs/zoom-app.md).";
    return { name, status: 'warning', found, fix };
  }
  return { name, status: 'ok', found: `app ${appName}: complete, ${sdk}` };
}
