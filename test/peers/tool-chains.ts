import { execFileSync } from 'node:child_process';

interface Check {
  readonly command: readonly [string, ...string[]];
  /** Finds the version in what the command prints. */
  readonly version: RegExp;
  /** The oldest that will do, as `major` or `major.minor`. */
  readonly atLeast: string;
}

const CHECKS = {
  python: {
    command: ['python3', '-c', 'import ensurepip, sys, venv; print(sys.version)'],
    version: /^(\d+\.\d+)/,
    atLeast: '3.10',
  },
  // For programs that never left it. pyenv's command runs with the version that it is told.
  python2: {
    command: [
      'env',
      'PYENV_VERSION=2.7.18',
      'python2.7',
      '-c',
      'import pip, sys; print(sys.version)',
    ],
    version: /^(\d+\.\d+)/,
    atLeast: '2.7',
  },
  // Unpacks packages of Debian into a folder; nothing is installed.
  debian: {
    command: ['dpkg-deb', '--version'],
    version: /version (\d+\.\d+)/,
    atLeast: '1.20',
  },
  java: { command: ['java', '-version'], version: /version "(\d+)/, atLeast: '17' },
  maven: { command: ['mvn', '--version'], version: /Maven (\d+\.\d+)/, atLeast: '3.6' },
  go: { command: ['go', 'version'], version: /go(\d+\.\d+)/, atLeast: '1.22' },
  cargo: { command: ['cargo', '--version'], version: /cargo (\d+\.\d+)/, atLeast: '1.75' },
} as const satisfies Record<string, Check>;

export type ToolChain = keyof typeof CHECKS;

/** @returns why a peer cannot run here, one clear sentence for each tool chain that is missing or too old */
export function missingToolChains(needed: readonly ToolChain[]): string[] {
  return needed.flatMap((name) => missing(name) ?? []);
}

function missing(name: ToolChain): string | undefined {
  const { command, version, atLeast }: Check = CHECKS[name];
  const [program, ...args] = command;
  const printed = outputOf(program, args);
  if (printed === undefined) return `${name} is missing: \`${command.join(' ')}\` does not run`;
  const found = version.exec(printed)?.[1];
  if (found !== undefined && !isOlder(found, atLeast)) return undefined;
  return `${name} ${found ?? '(of no known version)'} is too old: ${atLeast} is the oldest that will do`;
}

/** Standard output and standard error together: `java -version` writes to the latter. */
function outputOf(program: string, args: readonly string[]): string | undefined {
  try {
    const quoted = [program, ...args].map((arg) => `'${arg}'`).join(' ');
    return execFileSync('sh', ['-c', `${quoted} 2>&1`], { encoding: 'utf8', timeout: 60_000 });
  } catch {
    return undefined;
  }
}

function isOlder(found: string, atLeast: string): boolean {
  const [major = 0, minor = 0] = found.split('.').map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = atLeast.split('.').map(Number);
  return major === wantedMajor ? minor < wantedMinor : major < wantedMajor;
}
