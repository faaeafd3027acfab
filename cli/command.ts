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

/** What every command gets to work with. */
export interface Context {
  readonly deployment: Deployment;
  readonly aws: AwsClients;
  readonly output: Output;
  /** Aborted by Ctrl-C or SIGTERM: end what goes on; exit code 130, or 0 where that is how the command ends. */
  readonly signal: AbortSignal;
  /** @throws ServiceError `config/invalid` when no table is named */
  sessions(): OperatorStore;
}

export type Flags = DeploymentFlags & { readonly json?: true };

/** What `rtms --help` (summary) and `rtms <command> --help` (the rest) say. */
export interface CommandHelp {
  readonly summary: string;
  readonly description: string;
  /** Command lines; one that goes on from the line before begins with a blank. */
  readonly examples: readonly string[];
}

/** A command with the options that all of them share. Give it its own options and its action. */
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
    .option('--webhook-url <url>', 'where Zoom posts to (WEBHOOK_URL)')
    .option('--allowed-hosts <list>', 'hosts the deployment connects to (ALLOWED_HOSTS)')
    .optionsGroup('Options:')
    .addHelpText('after', `\nExamples:\n${examples.map(exampleLine).join('\n')}`);
}

/**
 * Runs a command's work: finds the deployment, minds Ctrl-C, turns errors into words and the exit code.
 * Never rejects.
 *
 * @param interrupted the exit code when somebody ends it before it is done: `EXIT.OK` for what goes on until then
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
  // Until the work is done; main.ts ends with it when the reader of a pipe leaves.
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
    // Until what it said has left, a reader that is gone makes it an interruption.
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

/** Resolves when everything has left, or when it cannot; that is told as `error` of the stream before. */
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
