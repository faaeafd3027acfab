import type { Command } from 'commander';
import { isLoopback } from '../aws.ts';
import { type Context, createCommand, type Flags, run } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-code.ts';
import { checkAws } from '../preflight/aws-checks.ts';
import type { Check } from '../preflight/check.ts';
import { checkRunners } from '../preflight/runner-checks.ts';
import { checkSecret } from '../preflight/secret-checks.ts';
import { checkWebhook } from '../preflight/webhook-checks.ts';
import { scopesHint } from '../preflight/zoom-hints.ts';

const MARKS = { ok: 'ok  ', warning: 'warn', failed: 'FAIL', hint: 'hint' } as const;

export function preflightCommand(): Command {
  return createCommand('preflight', {
    summary: 'is the deployment ready for meetings?',
    description:
      'Is the deployment ready for meetings? Checks credentials, the Zoom secret, the webhook, table, queue, ' +
      'streams and runners, and says for each what to do. Changes nothing. ' +
      'Exit code 1 when a check fails, 3 when something could not be reached.',
    examples: [
      'rtms preflight --local',
      'rtms preflight --profile prod --config prod.json',
      'rtms preflight --json | jq -r "select(.status == \\"failed\\") | .fix"',
    ],
  }).action((flags: Flags) => run(flags, preflight));
}

async function preflight(context: Context): Promise<ExitCode> {
  const { output, deployment } = context;
  const isLocal = Object.values(deployment.endpoints ?? {}).some(
    (url) => url !== undefined && isLoopback(url),
  );
  let exitCode: ExitCode = EXIT.OK;
  for await (const found of allChecks(context)) {
    const check = isLocal ? forLocalStack(found) : found;
    output.show(check, () => toLines(check));
    if (check.status === 'failed' && exitCode !== EXIT.UNREACHABLE) {
      exitCode = check.unreachable ? EXIT.UNREACHABLE : EXIT.FOUND;
    }
  }
  return exitCode;
}

async function* allChecks(context: Context): AsyncGenerator<Check> {
  const secret = await checkSecret(context);
  yield* await checkAws(context);
  yield* secret.checks;
  yield* await checkWebhook(context, secret.apps);
  yield* await checkRunners(context);
  yield scopesHint();
}

/** What a deployment mends with `cdk deploy` or in ECS, the local stack makes by itself when it starts. */
function forLocalStack(check: Check): Check {
  if (check.unanswered) {
    const fix =
      'Nothing answers there. Start the local stack with `npm start -- --live` in the repository, and leave it running.';
    return { ...check, fix };
  }
  if (check.status !== 'failed' || check.name !== 'runners') return check;
  return { ...check, fix: 'out/stack.log tells what the runners of the local stack say.' };
}

function toLines({ status, name, found, fix }: Check): string[] {
  const first = `${MARKS[status]}  ${name.padEnd(18)} ${found}`;
  return fix === undefined ? [first] : [first, ...fix.split('\n').map((line) => `      ${line}`)];
}
