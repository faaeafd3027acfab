import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../command.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** A Python server answers one call after another: many tests at once would wait for it, and not for us. */
const CALM = ['--maxWorkers=2', '--maxConcurrency=2'];

interface TestOutcome {
  readonly file: string;
  /** With the names of its groups. */
  readonly name: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly message: string;
}

interface JsonReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

/**
 * Runs test files of this repository with other emulators in place of its own.
 *
 * @param servers ports by service, see local/aws/other-servers.ts
 * @throws Error when a file did not get as far as its tests
 */
export async function runTests(
  files: readonly string[],
  servers: Readonly<Record<string, number>>,
  report: string,
  options: readonly string[] = [],
): Promise<TestOutcome[]> {
  const args = ['run', ...files, '--reporter=json', `--outputFile=${report}`, ...options];
  const vitest = join(ROOT, 'node_modules/vitest/vitest.mjs');
  await runCommand(process.execPath, [vitest, ...args], {
    cwd: ROOT,
    env: { LOCAL_AWS_SERVERS: JSON.stringify(servers) },
    codes: [0, 1],
  });
  const { testResults } = JSON.parse(await readFile(report, 'utf8')) as JsonReport;
  return testResults.flatMap(({ name, message, assertionResults }) => {
    const file = name.slice(ROOT.length);
    if (assertionResults.length === 0) throw new Error(`${file} has no tests: ${message}`);
    return assertionResults.map(
      ({ fullName, status, failureMessages = [] }): TestOutcome => ({
        file,
        name: fullName,
        state: status === 'passed' || status === 'failed' ? status : 'skipped',
        message: failureMessages.join('\n').slice(0, 1_000),
      }),
    );
  });
}

/**
 * As `runTests`; the files of tests that failed are run once more, alone. A Python server on a busy machine may answer later than a
 * test waits; what fails twice is no matter of time.
 *
 * @param expected of a test that has to fail, the reason; undefined for all others
 */
export async function runTestsTwice(
  files: readonly string[],
  servers: Readonly<Record<string, number>>,
  scratch: string,
  expected: (name: string) => string | undefined,
): Promise<{ outcomes: TestOutcome[]; repeated: number }> {
  const first = await runTests(files, servers, join(scratch, 'first.json'), CALM);
  const isSurprise = ({ state, name }: TestOutcome) =>
    state === 'failed' && expected(name) === undefined;
  const again = new Set(first.filter(isSurprise).map(({ file }) => file));
  if (again.size === 0) return { outcomes: first, repeated: 0 };
  const alone = ['--maxWorkers=1', '--maxConcurrency=1'];
  const second = await runTests([...again], servers, join(scratch, 'second.json'), alone);
  const kept = first.filter(({ file }) => !again.has(file));
  return { outcomes: [...kept, ...second], repeated: first.filter(isSurprise).length };
}
