import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { Command } from 'commander';
import { AwsClients } from './deployment/aws.ts';
import {
  CONFIG_FILE,
  type Deployment,
  type DeploymentFlags,
  findDeployment,
  LOCAL_FILE,
  required,
} from './deployment/deployment.ts';
import { OperatorStore } from './deployment/operator-store.ts';
import { EXIT, type ExitCode, exitCodeOf } from './terminal/exit-code.ts';
import { Output } from './terminal/output.ts';

/** What every command works with. */
export interface Context {
  readonly deployment: Deployment;
  readonly aws: AwsClients;
  readonly output: Output;
  /** Aborts on Ctrl-C or SIGTERM. The command then ends its work; see `interrupted` of `runCommand` for its exit code. */
  readonly signal: AbortSignal;
  /** @throws ServiceError `config/invalid` when no table is named */
  sessions(): OperatorStore;
}

export type Flags = DeploymentFlags & { readonly json?: true };

/** Texts of `rtms --help` (summary) and of `rtms <command> --help` (the others). */
export interface CommandHelp {
  readonly summary: string;
  readonly description: string;
  /** Command lines. A line that continues the one before begins with a blank. */
  readonly examples: readonly string[];
}

/** Makes a command with the options that all commands share. The caller adds its own options and its action. */
export function createCommand(
  name: string,
  { summary, description, examples }: CommandHelp,
): Command {
  return new Command(name)
    .summary(summary)
    .description(description)
    .exitOverride()
    .showHelpAfterError(`(rtms ${name} --help shows the options)`)
    .option('--json', 'one JSON object a line on stdout, errors as JSON on stderr')
    .optionsGroup('Which deployment:')
    .option('--local [file]', `the local stack: what npm start wrote (default ${LOCAL_FILE})`)
    .option(
      '--config <file>',
      `a file with the names below (default ${CONFIG_FILE} if it is there)`,
    )
    .option('--region <region>', 'AWS Region (AWS_REGION)')
    .option('--profile <name>', 'AWS profile (AWS_PROFILE)')
    .option('--table <name>', 'session table (SESSION_TABLE)')
    .option('--queue-url <url>', 'job queue (JOB_QUEUE_URL)')
    .option('--media-stream <name>', 'Kinesis stream of media (MEDIA_STREAM)')
    .option('--events-stream <name>', 'Kinesis stream of events (EVENTS_STREAM)')
    .option('--secret-id <id>', 'Secrets Manager secret of the Zoom apps (ZOOM_SECRET_ID)')
    .option('--webhook-secret-id <id>', 'secret of the webhook tokens (ZOOM_WEBHOOK_SECRET_ID)')
    .option('--pages-topic <arn>', 'SNS topic of pages (PAGES_TOPIC)')
    .option('--tickets-topic <arn>', 'SNS topic of tickets (TICKETS_TOPIC)')
    .option('--webhook-url <url>', 'where Zoom posts (WEBHOOK_URL)')
    .option('--allowed-hosts <list>', 'hosts the deployment connects to (ALLOWED_HOSTS)')
    .optionsGroup('Options:')
    .addHelpText('after', `\nExamples:\n${examples.map(exampleLine).join('\n')}`);
}

/**
 * Runs the work of a command: finds the deployment, ends the work on Ctrl-C, and turns errors into a text and an exit
 * code. Never rejects.
 *
 * @param interrupted the exit code when somebody ends the command before it is done; `EXIT.OK` for a command that runs
 *   until somebody ends it
 */
export async function runCommand(
  flags: Flags,
  work: (context: Context) => Promise<ExitCode>,
  interrupted: ExitCode = EXIT.INTERRUPTED,
): Promise<void> {
  const output = new Output(flags.json === true, process.stdout, process.stderr);
  const stop = new AbortController();
  const onSignal = () => {
    if (stop.signal.aborted) process.exit(130);
    stop.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  // The exit code until the work is done. When the reader of a pipe leaves before, main.ts exits with it.
  process.exitCode = interrupted;
  let aws: AwsClients | undefined;
  try {
    const deployment = findDeployment(flags, process.env);
    const clients = new AwsClients(deployment);
    aws = clients;
    const code = await work({
      deployment,
      aws: clients,
      output,
      signal: stop.signal,
      sessions: () => new OperatorStore(clients.documents, required(deployment, 'table')),
    });
    // A reader that leaves before everything was written makes this an interruption.
    await written(process.stdout);
    process.exitCode = code;
  } catch (error) {
    process.exitCode = stop.signal.aborted ? interrupted : exitCodeOf(error);
    if (!stop.signal.aborted) report(output, error);
  } finally {
    aws?.destroy();
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

/** Resolves when everything was written. When it cannot be, the stream has emitted `error` before this resolves. */
async function written(stream: NodeJS.WriteStream): Promise<void> {
  await new Promise<void>((resolve) => stream.write('', () => resolve()));
  await new Promise<void>((resolve) => setImmediate(resolve));
}

function report(output: Output, error: unknown): void {
  output.fail(error);
  if (process.env['RTMS_DEBUG'] && error instanceof Error) {
    process.stderr.write(`${error.stack}\n`);
  }
}

function exampleLine(line: string): string {
  return line.startsWith(' ') ? `  ${line}` : `  $ ${line}`;
}

/** Looks for package.json from this file upwards, because the program runs from the repository or from `dist/`. */
export function packageVersion(): string {
  const path = findPackageJSON(import.meta.url);
  const { version } = JSON.parse(readFileSync(path ?? 'package.json', 'utf8'));
  return String(version);
}
