import { DEFAULT_APP } from './credentials.ts';

/** Where Zoom posts the webhooks of an app. */
export function webhookUrlOf(webhookUrl: string, app: string): string {
  return app === DEFAULT_APP ? webhookUrl : `${webhookUrl.replace(/\/+$/, '')}/${app}`;
}
