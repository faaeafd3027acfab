import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundleOptions } from '../../infra/bundling/bundle-options.ts';
import { READ_ONLY_FLAGS } from '../../local/lambda/local-function.ts';

/** Bundles an entry file as a deployment does, into a folder of its own. */
export async function bundleOf(entry: string, runsOn: 'lambda' | 'fargate') {
  const folder = await mkdtemp(join(tmpdir(), 'rtms-bundle-'));
  const file = join(folder, 'index.mjs');
  await build({ ...bundleOptions(entry, runsOn), outfile: file });
  return { folder, file, remove: () => rm(folder, { recursive: true }) };
}

/** Runs a bundled program with this environment and no other variable, and nowhere to write. */
export function startBundle(
  { file, folder }: { readonly file: string; readonly folder: string },
  env: Readonly<Record<string, string>>,
): ChildProcess {
  return spawn(process.execPath, [...READ_ONLY_FLAGS, file], { cwd: folder, env, stdio: 'pipe' });
}

/** Of Lambda's runtime: imports the bundle, then answers each event with what the handler returns. */
const RUNTIME = `
const { handler } = await import(process.argv[1]);
process.on('message', async ({ id, event }) => {
  const context = { getRemainingTimeInMillis: () => 3_000, awsRequestId: String(id) };
  try {
    process.send({ id, result: await handler(event, context) });
  } catch (error) {
    process.send({ id, error: String(error?.stack ?? error) });
  }
});
process.send({ ready: true });
`;

export interface BundledFunction {
  invoke(event: unknown): Promise<unknown>;
  close(): Promise<void>;
}

/** A bundled Lambda function in a process of its own. */
export async function startFunction(
  entry: string,
  env: Readonly<Record<string, string>>,
): Promise<BundledFunction> {
  const bundle = await bundleOf(entry, 'lambda');
  const child = spawn(
    process.execPath,
    [...READ_ONLY_FLAGS, '--input-type=module', '--eval', RUNTIME, bundle.file],
    { cwd: bundle.folder, env, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] },
  );
  const errors: Buffer[] = [];
  child.stderr?.on('data', (data) => errors.push(data));
  const ended = once(child, 'close').then(() => {
    throw new Error(`${entry} ended: ${Buffer.concat(errors)}`);
  });
  ended.catch(() => {});
  await Promise.race([once(child, 'message'), ended]);
  let lastId = 0;
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  child.on('message', ({ id, result, error }: { id: number; result: unknown; error?: string }) => {
    if (error === undefined) waiting.get(id)?.resolve(result);
    else waiting.get(id)?.reject(new Error(error));
  });
  return {
    async invoke(event) {
      lastId += 1;
      const answer = Promise.withResolvers<unknown>();
      waiting.set(lastId, answer);
      child.send({ id: lastId, event });
      return await Promise.race([answer.promise, ended]);
    },
    async close() {
      const closed = once(child, 'close');
      child.kill();
      await closed;
      await bundle.remove();
    },
  };
}
