import { randomBytes } from 'node:crypto';
import type { ZoomApp } from '../../shared/zoom/credentials.ts';
import { webhookUrlOf } from '../../shared/zoom/webhook-request.ts';
import type { Context } from '../command.ts';
import { isLoopback } from '../deployment/aws.ts';
import { required } from '../deployment/deployment.ts';
import { validateWebhook } from '../deployment/webhook.ts';
import { attempt, type Check } from './check.ts';

const REACH =
  'Is the URL the WebhookUrl of the stack? Does the API exist? Zoom must reach it from the internet.';
/** Zoom waits 3 s for an answer. A webhook that takes this long may exceed them when it starts cold. */
const SLOW_MS = 1_500;

/** Checks that the webhook is reachable, validates for each app, and refuses a forged signature. */
export async function checkWebhook(
  { deployment }: Context,
  apps: ReadonlyMap<string, ZoomApp>,
): Promise<readonly Check[]> {
  return attempt('webhook', REACH, async () => {
    const base = required(deployment, 'webhookUrl');
    const checks = [checkScheme(base)];
    for (const [name, app] of apps) checks.push(await checkApp(base, name, app));
    checks.push(await checkForgery(base));
    return checks;
  });
}

function checkScheme(url: string): Check {
  if (url.startsWith('https:') || isLoopback(url)) {
    return { name: 'webhook URL', status: 'ok', found: url };
  }
  const fix = 'Zoom posts to https: only.';
  return { name: 'webhook URL', status: 'failed', found: `${url} is not https:`, fix };
}

async function checkApp(base: string, appName: string, app: ZoomApp): Promise<Check> {
  const name = 'webhook';
  for (const [index, token] of app.webhookSecretTokens.entries()) {
    const { result, status, durationMs } = await validateWebhook(
      webhookUrlOf(base, appName),
      token,
    );
    if (result === 'valid' && durationMs > SLOW_MS) {
      const found = `app ${appName}: validates, but took ${Math.round(durationMs)} ms`;
      const fix = 'Once is a cold start. If it repeats: *Webhook slow* in docs/runbook.md.';
      return { name, status: 'warning', found, fix };
    }
    if (result === 'valid') continue;
    const which = `app ${appName}, token ${index + 1}`;
    const found =
      result === 'refused' ? `${which}: answered ${status}` : `${which}: a wrong answer`;
    const fix =
      status === 401
        ? 'The function has another secret; it reads a changed one within ten minutes. Is --secret-id right?'
        : REACH;
    return { name, status: 'failed', found, fix };
  }
  return { name, status: 'ok', found: `app ${appName}: reachable and validating` };
}

async function checkForgery(base: string): Promise<Check> {
  const { status } = await validateWebhook(base, randomBytes(16).toString('hex'));
  const name = 'webhook guard';
  if (status === 401) return { name, status: 'ok', found: 'refuses a forged signature' };
  const found = `answered a forged signature with ${status}, not 401`;
  return { name, status: 'failed', found, fix: 'Is this URL the webhook of this project?' };
}
