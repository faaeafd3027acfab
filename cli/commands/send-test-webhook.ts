import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { ServiceError } from '../../shared/errors.ts';
import { DEFAULT_APP, type ZoomApp } from '../../shared/zoom/credentials.ts';
import { webhookUrlOf } from '../../shared/zoom/webhook-request.ts';
import { type Context, createCommand, type Flags, runCommand } from '../command.ts';
import { required } from '../deployment/deployment.ts';
import { postSigned, validateWebhook } from '../deployment/webhook.ts';
import { readZoomApp } from '../deployment/zoom-apps.ts';
import { EXIT, type ExitCode } from '../terminal/exit-code.ts';

interface SendFlags extends Flags {
  readonly app: string;
  readonly event?: string;
  readonly payload?: string;
}

export function sendTestWebhookCommand(): Command {
  return createCommand('send-test-webhook', {
    summary: 'post one signed webhook',
    description:
      'Posts one webhook, signed as Zoom signs, and shows the answer. Without --event it is the URL ' +
      'validation, which stores nothing. meeting.rtms_started makes a runner connect to the stream in it: to play one, ' +
      'use rtms simulate. Exit code 1 unless the answer is 200 (and proves the secret token).',
    examples: [
      'rtms send-test-webhook --local',
      'rtms send-test-webhook --app sales --webhook-url https://rtms.example.com/webhook',
      `rtms send-test-webhook --event rtms.concurrency_near_limit --payload '{"percentage": 80}'`,
      'rtms send-test-webhook --event meeting.rtms_started --payload @started.json',
    ],
  })
    .option('--app <name>', 'Zoom app whose token signs, by its name in the secret', DEFAULT_APP)
    .option('--event <name>', 'name of another event, as Zoom names it')
    .option('--payload <json>', 'payload of the event: JSON, or @file')
    .action((flags: SendFlags) => runCommand(flags, (context) => send(context, flags)));
}

async function send(context: Context, flags: SendFlags): Promise<ExitCode> {
  const url = webhookUrlOf(required(context.deployment, 'webhookUrl'), flags.app);
  const app = await readZoomApp(context, flags.app, process.env);
  const [token = ''] = app.webhookSecretTokens;
  if (flags.event === undefined && flags.payload !== undefined) {
    throw new ServiceError('config/invalid', '--payload needs --event');
  }
  return flags.event === undefined
    ? validate(context, url, app)
    : sendEvent(context, url, token, flags.event, readPayload(flags.payload));
}

async function validate({ output }: Context, url: string, app: ZoomApp): Promise<ExitCode> {
  const [token = ''] = app.webhookSecretTokens;
  const { result, status, durationMs } = await validateWebhook(url, token);
  const ms = Math.round(durationMs);
  output.show({ url, event: 'endpoint.url_validation', status, result, durationMs: ms }, () => {
    const words = {
      valid: 'valid: Zoom will accept this URL',
      refused: `refused with ${status}: ${explain(status)}`,
      wrong_answer:
        'answered 200, but not with the proof that Zoom asks for: is it another server?',
    };
    return `${url}: ${words[result]} (${ms} ms)`;
  });
  return result === 'valid' ? EXIT.OK : EXIT.FOUND;
}

async function sendEvent(
  { output }: Context,
  url: string,
  token: string,
  event: string,
  payload: unknown,
): Promise<ExitCode> {
  const body = JSON.stringify({ event, event_ts: Date.now(), payload });
  const { status, body: answer, durationMs } = await postSigned(url, token, body);
  const ms = Math.round(durationMs);
  output.show({ url, event, status, durationMs: ms, answer }, () => [
    `${url}: ${status} in ${ms} ms, ${explain(status)}`,
    ...(answer === '' ? [] : [answer]),
  ]);
  return status === 200 ? EXIT.OK : EXIT.FOUND;
}

function readPayload(text: string | undefined): unknown {
  if (text === undefined) return {};
  try {
    return JSON.parse(text.startsWith('@') ? readFileSync(text.slice(1), 'utf8') : text);
  } catch (cause) {
    const what = `--payload is no JSON: ${cause instanceof Error ? cause.message : cause}`;
    throw new ServiceError('config/invalid', what, { cause });
  }
}

/** What each answer means, as in docs/zoom-app.md. */
function explain(status: number): string {
  if (status === 200) return 'stored, or nothing to do';
  if (status === 400) return 'malformed, no allowed server address, or the stream of another app';
  if (status === 401) return 'the signature is wrong: is this the secret token of that app?';
  if (status === 404) return 'no such path: it ends in /webhook or /webhook/<app>';
  if (status === 429) return 'throttled by the endpoint';
  if (status >= 500) return 'the webhook cannot reach its table, queue or secret';
  return 'Zoom does not accept this answer';
}
