import type { Command } from 'commander';
import { ServiceError } from '../../shared/errors.ts';
import { apiAddressesFrom } from '../../shared/zoom/api-credentials.ts';
import { type Context, createCommand, type Flags, runCommand } from '../command.ts';
import { isLoopback } from '../deployment/aws.ts';
import { checkAws } from '../preflight/aws-checks.ts';
import type { Check, Sizing } from '../preflight/check.ts';
import { checkQuotas } from '../preflight/quota-checks.ts';
import { checkRunners } from '../preflight/runner-checks.ts';
import { checkWebhook } from '../preflight/webhook-checks.ts';
import { checkApi, checkSecret, scopesHint } from '../preflight/zoom-checks.ts';
import { EXIT, type ExitCode } from '../terminal/exit-code.ts';

const MARKS = { ok: 'ok  ', warning: 'warn', failed: 'FAIL', hint: 'hint' } as const;

export function preflightCommand(): Command {
  return createCommand('preflight', {
    summary: 'is the deployment ready for meetings?',
    description:
      'Checks whether the deployment is ready for meetings: credentials, the Zoom secret, the webhook, table, queue, ' +
      'streams, runners and quotas. Says for each finding what to do. Changes nothing. ' +
      'Exit code 1 when a check fails, 3 when something could not be reached.',
    examples: [
      'rtms preflight --local',
      'rtms preflight --profile prod --config prod.json',
      'rtms preflight --quotas --max-tasks 40 --shards 66 --meetings 1000 --zoom-concurrency 2000',
      'rtms preflight --json | jq -r "select(.status == \\"failed\\") | .fix"',
    ],
  })
    .optionsGroup('Planned size, which is compared with the quotas:')
    .option('--quotas', 'check only the quotas; works before the first deployment')
    .option('--max-tasks <n>', 'runner.maxTasks of the stage')
    .option('--task-vcpu <n>', 'runner.cpu of the stage / 1024', '1')
    .option('--webhook-concurrency <n>', 'webhook.reservedConcurrency of the stage', '0')
    .option('--shards <n>', 'shards of both streams')
    .option('--meetings <n>', 'meetings at one time')
    .option('--zoom-concurrency <n>', 'concurrent streams of your contract with Zoom')
    .action((flags: PreflightFlags) => runCommand(flags, (context) => preflight(context, flags)));
}

interface PreflightFlags extends Flags {
  readonly quotas?: true;
  readonly maxTasks?: string;
  readonly taskVcpu: string;
  readonly webhookConcurrency: string;
  readonly shards?: string;
  readonly meetings?: string;
  readonly zoomConcurrency?: string;
}

/** @throws ServiceError `config/invalid` naming the flag that is no number */
function sizingOf(flags: PreflightFlags): Sizing {
  const read = (flag: string, text: string | undefined): number | undefined => {
    if (text === undefined) return undefined;
    const value = Number(text);
    if (text.trim() !== '' && Number.isFinite(value) && value >= 0) return value;
    throw new ServiceError('config/invalid', `${flag} is a number from 0, not "${text}"`);
  };
  return {
    maxTasks: read('--max-tasks', flags.maxTasks),
    taskVcpu: read('--task-vcpu', flags.taskVcpu) ?? 1,
    webhookConcurrency: read('--webhook-concurrency', flags.webhookConcurrency) ?? 0,
    shards: read('--shards', flags.shards),
    meetings: read('--meetings', flags.meetings),
    zoomConcurrency: read('--zoom-concurrency', flags.zoomConcurrency),
  };
}

async function preflight(context: Context, flags: PreflightFlags): Promise<ExitCode> {
  const { output, deployment } = context;
  const isLocal = Object.values(deployment.endpoints ?? {}).some(
    (url) => url !== undefined && isLoopback(url),
  );
  const sizing = sizingOf(flags);
  const checks = flags.quotas ? checkQuotas(context, sizing) : allChecks(context, sizing, isLocal);
  let exitCode: ExitCode = EXIT.OK;
  for await (const found of await checks) {
    const check = isLocal ? forLocalStack(found) : found;
    output.show(check, () => toLines(check));
    if (check.status === 'failed' && exitCode !== EXIT.UNREACHABLE) {
      exitCode = check.unreachable ? EXIT.UNREACHABLE : EXIT.FOUND;
    }
  }
  return exitCode;
}

async function* allChecks(
  context: Context,
  sizing: Sizing,
  isLocal: boolean,
): AsyncGenerator<Check> {
  const secret = await checkSecret(context);
  yield* await checkAws(context);
  yield* secret.checks;
  yield* await checkApi(secret.apps, apiAddressesFrom(process.env));
  yield* await checkWebhook(context, secret.apps);
  yield* await checkRunners(context);
  // The local stack has no AWS account, and so no quotas.
  if (!isLocal) yield* await checkQuotas(context, sizing);
  yield scopesHint();
}

/** Replaces advice that is of no use for the local stack: there is nothing to deploy, and no ECS. */
function forLocalStack(check: Check): Check {
  if (check.unanswered) {
    const fix =
      'Nothing answers there. Start the local stack with `npm start -- --live` in the repository, and leave it running.';
    return { ...check, fix };
  }
  if (check.status !== 'failed' || check.name !== 'runners') return check;
  return { ...check, fix: 'The log of the runners of the local stack is out/stack.log.' };
}

function toLines({ status, name, found, fix }: Check): string[] {
  const first = `${MARKS[status]}  ${name.padEnd(18)} ${found}`;
  return fix === undefined ? [first] : [first, ...fix.split('\n').map((line) => `      ${line}`)];
}
