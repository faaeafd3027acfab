import { ZoomApi } from '../../rtms/api/zoom-api.ts';
import type { ApiAddresses } from '../../shared/zoom/api-credentials.ts';
import { isPlaceholder, type ZoomApp } from '../../shared/zoom/credentials.ts';
import type { Context } from '../command.ts';
import { readZoomSecret } from '../deployment/zoom-apps.ts';
import { attempt, type Check } from './check.ts';

const SHAPE =
  'Put {"apps": {"default": {"clientId", "clientSecret", "webhookSecretTokens": ["…"]}}} into it:\n' +
  'aws secretsmanager put-secret-value --secret-id <id> --secret-string file://zoom.json (docs/deploy.md)';

/** Checks the shape of the Zoom secret, app by app. Its values are never shown. */
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
    const fix = 'The secret token is another value: Zoom shows it beside the event subscriptions.';
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
      "A rotation is in progress: remove the old token when Zoom's repeats are over (docs/zoom-app.md).";
    return { name, status: 'warning', found, fix };
  }
  return { name, status: 'ok', found: `app ${appName}: complete, ${sdk}` };
}

const API_FIX =
  'Check apps.<name>.api in the Zoom secret against the server-to-server OAuth app, and that it is activated (docs/zoom-app.md)';

/**
 * Checks the credentials for Zoom's REST API, of each app that has some, by asking for a token. Scopes show only when
 * something is asked.
 *
 * @param addresses as runners have them
 */
export async function checkApi(
  apps: ReadonlyMap<string, ZoomApp>,
  addresses: ApiAddresses,
): Promise<readonly Check[]> {
  const name = 'Zoom API';
  const checks = [...apps].map(async ([app, { api }]): Promise<Check[]> => {
    if (api === undefined) return [];
    const answer = await new ZoomApi({ credentials: api, addresses }).check();
    if (answer.kind === 'ok') {
      return [{ name, status: 'ok', found: `app ${app}: Zoom gives a token` }];
    }
    const { why, text, status } = answer;
    const found = `app ${app}: ${why.replaceAll('_', ' ')}${text === undefined ? '' : ` (${text})`}`;
    const reach = status === 0 && { unreachable: true as const };
    return [{ name, status: 'failed', found, fix: API_FIX, ...reach }];
  });
  return (await Promise.all(checks)).flat();
}

/** Says what only Zoom's own pages can show. */
export function scopesHint(): Check {
  return {
    name: 'Zoom app',
    status: 'hint',
    found:
      'scopes and event subscriptions cannot be seen from here; check them at marketplace.zoom.us',
    fix:
      'Meetings: meeting:read:meeting_audio, _video, _screenshare, _transcript, _chat; webinars: webinar:read:webinar_…\n' +
      'All: rtms:read:rtms_started, rtms_stopped, rtms_interrupted. Events: <product>.rtms_started, …_stopped, …_interrupted.\n' +
      'Zoom offers only media whose scope the app has. The whole list: docs/zoom-app.md',
  };
}
