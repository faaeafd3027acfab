import { type ParseArgsConfig, parseArgs } from 'node:util';

const HELP = { help: { type: 'boolean' } } as const;

/**
 * The options of a command of this repository. `--help` prints how it is called and ends the process with code 0; an option that it
 * does not know, or one without its value, is told in one line before the same text, and the code is 2.
 *
 * @param usage the command and what it does, as a reader would type it
 * @param config as `parseArgs` takes it; `args` for tests
 */
export function commandOptions<const T extends ParseArgsConfig>(
  usage: string,
  config: T,
): ReturnType<typeof parseArgs<T>> {
  const options: NonNullable<ParseArgsConfig['options']> = { ...config.options, ...HELP };
  const known = Object.entries(options)
    .map(([name, { type }]) => `--${name}${type === 'string' ? ' <value>' : ''}`)
    .join(' ');
  const help = `${usage}\noptions: ${known}\n`;
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ ...config, options });
  } catch (error) {
    return usageError(error instanceof Error ? error.message : String(error), help);
  }
  if (parsed.values['help'] === true) {
    process.stdout.write(help);
    process.exit(0);
  }
  return parsed as ReturnType<typeof parseArgs<T>>;
}

/** The value of an option that is a whole number; ends the process with code 2 when it is none, or under `least`. @default least 0 */
export function wholeNumber(name: string, text: string, least = 0): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
  return usageError(`--${name} is a whole number from ${least} on, not "${text}"`, '');
}

function usageError(message: string, help: string): never {
  process.stderr.write(`${message}\n${help}`);
  process.exit(2);
}
