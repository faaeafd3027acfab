import type { Command } from 'commander';
import type { ApiAnswer, ApiDelay, ApiRefusal } from '../../rtms/api/answer.ts';
import type { StreamAction } from '../../rtms/api/routes.ts';
import { ZoomApi } from '../../rtms/api/zoom-api.ts';
import { PRODUCTS, type Product } from '../../rtms/protocol/product.ts';
import { ServiceError } from '../../shared/errors.ts';
import { apiAddressesFrom, apiCredentialsFrom } from '../../shared/zoom/api-credentials.ts';
import { DEFAULT_APP, handshakeCredentials } from '../../shared/zoom/credentials.ts';
import { type Context, createCommand, type Flags, runCommand } from '../command.ts';
import { readZoomApp } from '../deployment/zoom-apps.ts';
import { findMeeting } from '../meeting/find-meeting.ts';
import { SESSION_ARGUMENT } from '../meeting/find-session.ts';
import { EXIT, type ExitCode } from '../terminal/exit-code.ts';

export interface ZoomStreamFlags extends Flags {
  readonly product: string;
  readonly app?: string;
}

const DONE: Readonly<Record<StreamAction, string>> = {
  start: 'Zoom starts the stream; its webhook brings it here (rtms sessions)',
  stop: 'Zoom stops the stream',
  pause: 'Zoom pauses the stream; rtms resume goes on with it',
  resume: 'Zoom resumes the stream',
};

export function startCommand(): Command {
  return zoomCommand(
    'start',
    'ask Zoom to start the stream of a live meeting',
    'Asks Zoom, by its REST API, to start the stream of a meeting that is live now: one that was never started, or that ' +
      'ended. What Zoom starts comes here by its webhook, as any other.',
  );
}

export function pauseCommand(): Command {
  return zoomCommand(
    'pause',
    'ask Zoom to pause a stream',
    'Asks Zoom, by its REST API, to send nothing of a stream until rtms resume. The session stays.',
  );
}

export function resumeCommand(): Command {
  return zoomCommand(
    'resume',
    'ask Zoom to resume a paused stream',
    'Asks Zoom, by its REST API, to go on with a stream that was paused.',
  );
}

function zoomCommand(action: StreamAction, summary: string, description: string): Command {
  const examples = [`rtms ${action} 98765432101`, `rtms ${action} /abc+def== --app sales`];
  return withZoomOptions(
    createCommand(action, { summary, description, examples }).argument('<meeting>', MEETING),
  ).action((words: string, flags: ZoomStreamFlags) =>
    runCommand(flags, (context) => askZoom(context, words, action, flags)),
  );
}

const MEETING = `${SESSION_ARGUMENT}; or a number or UUID that is not known here yet`;

/** The options of every command that asks Zoom. */
export function withZoomOptions(command: Command): Command {
  return command
    .option(
      '--product <name>',
      `of a meeting that is not known here: ${PRODUCTS.join(', ')}`,
      'meeting',
    )
    .option('--app <name>', 'Zoom app in the secret (default: the one that brought the meeting)');
}

/**
 * Has Zoom do something with the stream of a meeting.
 *
 * @throws ServiceError `config/invalid` without API credentials; `cli/refused`, `cli/unreachable` for what Zoom says
 */
export async function askZoom(
  context: Context,
  words: string,
  action: StreamAction,
  flags: ZoomStreamFlags,
): Promise<ExitCode> {
  const { product, entityId, appName } = await targetOf(context, words, flags);
  const app = await readZoomApp(context, appName, process.env);
  const credentials = apiCredentialsFrom(process.env) ?? app.api;
  if (credentials === undefined) {
    throw new ServiceError(
      'config/invalid',
      `no API credentials for the app "${appName}": put apps.${appName}.api into the Zoom secret, or set ZM_RTMS_API_ACCOUNT, ZM_RTMS_API_CLIENT and ZM_RTMS_API_SECRET (docs/zoom-app.md)`,
    );
  }
  const api = new ZoomApi({ credentials, addresses: apiAddressesFrom(process.env) });
  const { clientId } = handshakeCredentials(app, product);
  const answer = await api.setStream({ product, entityId, clientId }, action);
  if (answer.kind !== 'ok') throw refusal(answer);
  context.output.show({ action, product, entityId, app: appName, done: true }, () => DONE[action]);
  return EXIT.OK;
}

async function targetOf(
  context: Context,
  words: string,
  { product, app }: ZoomStreamFlags,
): Promise<{ product: Product; entityId: string; appName: string }> {
  if (!(PRODUCTS as readonly string[]).includes(product)) {
    const what = `--product is ${product}, allowed: ${PRODUCTS.join(', ')}`;
    throw new ServiceError('config/invalid', what);
  }
  const { streams } = await findMeeting(context, words);
  const known = streams.at(-1)?.row;
  // People write a number in groups.
  const bare = words.trim();
  const number = bare.replaceAll(/[\s-]/g, '');
  return {
    product: known?.product ?? (product as Product),
    entityId: known?.entityId ?? (/^\d+$/.test(number) ? number : bare),
    appName: app ?? known?.app ?? DEFAULT_APP,
  };
}

const REFUSED: Readonly<Record<ApiRefusal, string>> = {
  not_allowed:
    'Zoom does not allow it: nobody who may use the app is in the meeting, or the app is not enabled for its host',
  meeting_over: 'the meeting has ended, or has not begun',
  not_found: 'Zoom knows no such meeting: is its number or UUID whole, and is --product right?',
  scope_missing:
    'the API app lacks a scope: add it in the Zoom Marketplace and activate the app again',
  credentials_invalid:
    'Zoom does not take the API credentials: account id, client id or secret is wrong or has expired, or the app is deactivated',
  rejected: 'Zoom rejects the request',
};

const DELAYED: Readonly<Record<ApiDelay, string>> = {
  operation_failed: 'Zoom could not do it now: is the stream already so?',
  rate_limited: 'Zoom has had too many requests',
  unavailable: 'Zoom is out of order',
  unreachable: 'Zoom did not answer',
};

/** Names what Zoom said. An answer of Zoom holds no token and no secret. */
function refusal(answer: Exclude<ApiAnswer, { kind: 'ok' }>): ServiceError {
  const { status, code, text } = answer;
  const said = [...(code === undefined ? [] : [`${code}`]), ...(text === undefined ? [] : [text])];
  const quoted = said.length === 0 ? '' : ` (Zoom: ${said.join(' ')})`;
  const detail = { why: answer.why, status, ...(code !== undefined && { code }) };
  if (answer.kind === 'refused') {
    return new ServiceError('cli/refused', `${REFUSED[answer.why]}${quoted}`, { detail });
  }
  const { why, afterMs } = answer;
  const isAway = why === 'unavailable' || why === 'unreachable';
  const after =
    afterMs === undefined ? 'try again' : `try again in ${Math.ceil(afterMs / 1_000)} s`;
  return new ServiceError(
    isAway ? 'cli/unreachable' : 'cli/refused',
    `${DELAYED[why]}; ${after}${quoted}`,
    { detail },
  );
}
