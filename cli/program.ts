import { Command } from 'commander';
import { packageVersion } from './command.ts';
import { consoleCommand } from './commands/console.ts';
import { explainCommand } from './commands/explain.ts';
import { exportCommand } from './commands/export.ts';
import { mcpCommand } from './commands/mcp.ts';
import { handoverCommand, stopCommand } from './commands/operator-request.ts';
import { pageTestCommand } from './commands/page-test.ts';
import { preflightCommand } from './commands/preflight.ts';
import { redriveCommand } from './commands/redrive.ts';
import { reshardCommand } from './commands/reshard.ts';
import { sendTestWebhookCommand } from './commands/send-test-webhook.ts';
import { sessionCommand } from './commands/session.ts';
import { sessionsCommand } from './commands/sessions.ts';
import { simulateCommand } from './commands/simulate.ts';
import { tailCommand } from './commands/tail.ts';
import { verifyCommand } from './commands/verify.ts';
import { pauseCommand, resumeCommand, startCommand } from './commands/zoom-stream.ts';

const AFTER_HELP = `
The deployment is taken from flags, else from --config <file> or --local, else from the environment, else from rtms.json.
Exit codes: 0 fine, 1 something was found or refused, 2 wrong use, 3 out of reach, 4 contradictory (verify, export),
70 a defect of rtms, 130 interrupted.`;

/** Makes `rtms` with all its commands. It throws CommanderError instead of ending the process. */
export function createProgram(): Command {
  return new Command('rtms')
    .version(packageVersion(), '-V, --version', 'version of this program')
    .description(
      'Looks after a deployment of rtms-kinesis: Zoom Realtime Media Streams into Kinesis. ' +
        'Begin with rtms preflight; rtms <command> --help has examples.',
    )
    .exitOverride()
    .showHelpAfterError('(rtms --help lists the commands)')
    .commandsGroup('Look:')
    .addCommand(preflightCommand())
    .addCommand(sessionsCommand())
    .addCommand(sessionCommand())
    .addCommand(explainCommand())
    .addCommand(tailCommand())
    .addCommand(consoleCommand())
    .addCommand(mcpCommand())
    .commandsGroup('Take out:')
    .addCommand(exportCommand())
    .addCommand(verifyCommand())
    .commandsGroup('Act:')
    .addCommand(startCommand())
    .addCommand(stopCommand())
    .addCommand(pauseCommand())
    .addCommand(resumeCommand())
    .addCommand(handoverCommand())
    .addCommand(redriveCommand())
    .addCommand(reshardCommand())
    .commandsGroup('Try:')
    .addCommand(sendTestWebhookCommand())
    .addCommand(pageTestCommand())
    .addCommand(simulateCommand())
    .helpCommand('help [command]', 'help for a command')
    .addHelpText('after', AFTER_HELP);
}
