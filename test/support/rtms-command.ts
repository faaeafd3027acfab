import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stack } from '../../local/stack.ts';

/** `rtms` as a real process against a stack of these tests. @param folder where the stack is described, and its home */
export async function rtmsCommand({ aws, webhookUrl }: Stack, folder: string) {
  const { region, endpoints, queueUrl, table, streams } = aws;
  const names = { webhookUrl, region, endpoints, queueUrl, table, streams };
  const description = join(folder, 'stack.json');
  await writeFile(description, JSON.stringify({ ...names, secretId: 'rtms-zoom' }));
  return (...args: string[]) =>
    new Promise<{ code: unknown; stdout: string }>((resolve) =>
      execFile(
        process.execPath,
        ['cli/main.ts', ...args, '--local', description, '--fast'],
        { env: { PATH: process.env['PATH'], HOME: folder } },
        (error, stdout) => resolve({ code: error?.code ?? 0, stdout }),
      ),
    );
}
