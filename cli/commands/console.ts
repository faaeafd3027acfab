import { once } from 'node:events';
import type { Command } from 'commander';
import { meetingActions } from '../../console/server/actions.ts';
import { Downloads } from '../../console/server/downloads.ts';
import { startConsoleServer } from '../../console/server/http.ts';
import { LiveConsole } from '../../console/server/live-console.ts';
import { readSessionRows } from '../../console/server/table.ts';
import { ServiceError } from '../../shared/errors.ts';
import { type Context, createCommand, type Flags, runCommand } from '../command.ts';
import { isLoopback } from '../deployment/aws.ts';
import { DEPLOYMENT_NAMES, type Deployment, required } from '../deployment/deployment.ts';
import { EXIT, type ExitCode } from '../terminal/exit-code.ts';

/** About one read a second of each shard: with five a second for all readers, other consumers keep four. */
const POLL_MS = 900;

interface ConsoleFlags extends Flags {
  readonly act?: true;
  readonly port: string;
  readonly consumerName?: string;
}

export function consoleCommand(): Command {
  return createCommand('console', {
    summary: 'a live page of meetings, runners and streams',
    description:
      'Serves a page on loopback that shows the deployment as it works: meetings with transcript, chat, speakers, ' +
      'cameras and losses, runners, streams and their load. Reads with your own credentials, only while a browser ' +
      'shows the page, and stores nothing. The printed address has a token: who has it sees what you see. Runs until Ctrl-C.',
    examples: [
      'rtms console --local',
      'rtms console --profile prod --region eu-central-1',
      'rtms console --act',
    ],
  })
    .option('--port <port>', 'port on loopback; 0 picks a free one', '0')
    .option(
      '--consumer-name <name>',
      'enhanced fan-out: a registered consumer of both streams, of this console alone',
    )
    .option('--act', 'buttons that hand a meeting over or end it; without it the page only reads')
    .action((flags: ConsoleFlags) =>
      runCommand(flags, (context) => serveConsole(context, flags), EXIT.OK),
    );
}

async function serveConsole(context: Context, flags: ConsoleFlags): Promise<ExitCode> {
  const { aws, deployment, output, signal } = context;
  const port = Number(flags.port);
  if (!/^\d+$/.test(flags.port) || port > 65_535) {
    throw new ServiceError('config/invalid', `--port must be from 0 to 65535, not "${flags.port}"`);
  }
  const table = required(deployment, 'table');
  const mediaStream = required(deployment, 'mediaStream');
  const eventsStream = required(deployment, 'eventsStream');
  const { documents } = aws;
  const { consumerName } = flags;
  const live = new LiveConsole({
    kinesis: consumerName === undefined ? aws.kinesis : aws.pushedKinesis,
    consumerName,
    mediaStream,
    eventsStream,
    pollMs: POLL_MS,
    readRows: () => readSessionRows(documents, table, false),
  });
  const server = await startConsoleServer({
    port,
    live,
    downloads: new Downloads(deploymentFlags(flags)),
    actions: flags.act === true ? meetingActions(documents, table) : [],
    deployment: nameOfDeployment(deployment, table),
    isLocal: isLoopback(deployment.endpoints?.kinesis ?? ''),
  });
  output.show({ consoleUrl: server.url }, () => [
    `console ${server.url}`,
    `${flags.act ? 'acts and reads' : 'only reads'}, with your own credentials; Ctrl-C ends it`,
  ]);
  if (!signal.aborted) await once(signal, 'abort');
  await server.close();
  return EXIT.OK;
}

function nameOfDeployment({ region, profile }: Deployment, table: string): string {
  return [region, profile, table].filter(Boolean).join(', ');
}

/** The flags that were given, for the commands that the page runs. */
function deploymentFlags(flags: ConsoleFlags): string[] {
  const named = [...DEPLOYMENT_NAMES, 'config' as const].flatMap((name) => {
    const value = flags[name];
    const flag = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return typeof value === 'string' ? [flag, value] : [];
  });
  const { local } = flags;
  if (local === undefined) return named;
  return [...named, local === true ? '--local' : `--local=${local}`];
}
