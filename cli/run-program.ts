import { statSync } from 'node:fs';
import { type Command, CommanderError } from 'commander';
import { ServiceError } from '../shared/errors.ts';
import { createProgram } from './program.ts';
import { EXIT, type ExitCode } from './terminal/exit-code.ts';
import { Output } from './terminal/output.ts';

/**
 * Runs `rtms` with the words of its command line. A command sets the exit code of the process itself.
 *
 * @returns the exit code when no command ran: help, version, or wrong use, which is reported on stderr (with `--json` as
 *   JSON); undefined when a command ran
 */
export async function runProgram(words: readonly string[]): Promise<ExitCode | undefined> {
  const program = createProgram();
  const isJson = words.includes('--json');
  if (isJson) silence(program);
  try {
    await program.parseAsync(separateLocal(words), { from: 'user' });
    return undefined;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return EXIT.OK;
    if (isJson) {
      const message = error.message
        .replace(/^error: /, '')
        .replace(/^\(outputHelp\)$/, 'no command');
      new Output(true, process.stdout, process.stderr).fail(
        new ServiceError('config/invalid', message, { detail: { usage: error.code } }),
      );
    }
    return EXIT.USAGE;
  }
}

/** With `--json` stderr must hold one JSON object, so the texts of the option parser are dropped. */
function silence(program: Command): void {
  for (const command of [program, ...program.commands]) {
    command.configureOutput({ writeErr: () => undefined, outputError: () => undefined });
  }
}

/**
 * Separates `--local`, which may have a file, from the word after it. The parser would always take that word for the
 * file, but in `rtms verify --local 5f9d…` it is the session. A word stays with `--local` only when it ends in `.json`
 * or names a file that exists.
 */
export function separateLocal(words: readonly string[]): string[] {
  const optionsEnd = words.indexOf('--');
  return words.flatMap((word, index) => {
    const next = words[index + 1];
    const isLocal = word === '--local' && (optionsEnd < 0 || index < optionsEnd);
    if (!isLocal || next === undefined || next.startsWith('-') || namesFile(next)) return [word];
    return ['--local='];
  });
}

function namesFile(word: string): boolean {
  if (word.endsWith('.json')) return true;
  return statSync(word, { throwIfNoEntry: false })?.isFile() === true;
}
