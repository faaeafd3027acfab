import { startChild } from '../../local/child.ts';

/** A program of this repository that runs, with all that it has written so far. */
export interface Program {
  readonly pid: number;
  /** Lines of stdout and stderr, in the order in which they came. */
  readonly lines: readonly string[];
  /** Sends the signal, if any, and waits for the end. @returns the exit code; null when it had to be killed */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Longest that any of them may take to end. */
const END_MS = 60_000;

/** @param entry a path inside the repository */
export function startProgram(
  entry: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Program {
  const lines: string[] = [];
  const child = startChild(entry, args, environment, (line) => void lines.push(line));
  return {
    pid: child.pid,
    lines,
    async end(signal) {
      if (signal !== undefined) child.process.kill(signal);
      const kill = setTimeout(() => child.process.kill('SIGKILL'), END_MS);
      const { code } = await child.exited;
      clearTimeout(kill);
      return code;
    },
  };
}
