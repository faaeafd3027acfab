import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stack } from '../../local/stack.ts';

/** Commands that read the streams: nobody else needs their calls here. */
const READERS: readonly (string | undefined)[] = ['verify', 'export', 'explain'];

/**
 * Variables of a process that is to have nothing of the developer's shell but its `PATH`. The compile cache is that of the
 * test run: without it each process compiles the SDK clients again.
 */
export function bareEnvironment(): Readonly<Record<string, string | undefined>> {
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  return { PATH, NODE_COMPILE_CACHE };
}

/**
 * `rtms` as a real process against a stack of these tests.
 *
 * @param folder where the stack is described, and its home
 * @param environment beside `bareEnvironment` and `HOME`
 */
export async function rtmsCommand(
  { aws, webhookUrl }: Stack,
  folder: string,
  environment: Readonly<Record<string, string>> = {},
) {
  const { region, endpoints, queueUrl, table, streams, secretId } = aws;
  const names = { webhookUrl, region, endpoints, queueUrl, table, streams, secretId };
  const description = join(folder, 'stack.json');
  await writeFile(description, JSON.stringify(names));
  return (...args: string[]) =>
    new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) =>
      execFile(
        process.execPath,
        [
          'cli/main.ts',
          ...args,
          '--local',
          description,
          ...(READERS.includes(args[0]) ? ['--fast'] : []),
        ],
        { env: { ...bareEnvironment(), HOME: folder, ...environment } },
        (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }),
      ),
    );
}
