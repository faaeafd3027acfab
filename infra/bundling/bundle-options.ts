import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { BuildOptions } from 'esbuild';
import { ServiceError } from '../../shared/errors.ts';

/** CommonJS dependencies call `require` for Node's own modules, which an ES module does not have. */
const REQUIRE_BANNER =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);";

/** A Lambda function finds its credentials in its environment. The SDK's whole chain would add a third of code. */
const LAMBDA_ALIASES = {
  '@aws-sdk/credential-provider-node': fromRoot('functions/zoom-webhook/lambda-credentials.ts'),
};

/**
 * esbuild's options to bundle an entry file and all that it imports, AWS SDK included, into one ES module.
 *
 * @param entry path from the repository's root
 * @param runsOn Lambda gets no source map beside the code, which would make every cold start slower
 */
export function bundleOptions(entry: string, runsOn: 'lambda' | 'fargate'): BuildOptions {
  return {
    entryPoints: [fromRoot(entry)],
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    // The ES builds of packages are a third smaller and take half the import time (aws/aws-cdk#29310).
    mainFields: ['module', 'main'],
    banner: { js: REQUIRE_BANNER },
    minify: true,
    keepNames: true,
    logLevel: 'error',
    ...(runsOn === 'lambda'
      ? { alias: LAMBDA_ALIASES }
      : { sourcemap: 'linked', sourcesContent: false }),
  };
}

/** An absolute path. @param path from the root of the repository, or of the installed package */
export function fromRoot(path: string): string {
  let directory = import.meta.dirname;
  while (!existsSync(join(directory, 'package.json'))) directory = dirname(directory);
  return join(directory, path);
}

const KINESIS_CLIENT = '@aws-sdk/client-kinesis';

/**
 * Checks the Kinesis client that the runner's image will hold: it is a peer of this package, installed by whoever deploys.
 * A client that is older than the one that the runner was tested with drops fields of Kinesis' answers that it does not
 * know, such as the stream's record distribution. The runner would then write into a stream that keeps no order.
 *
 * @throws ServiceError `config/invalid` when the client is older
 */
export function checkKinesisClient(): void {
  const manifest = fromRoot('package.json');
  const { devDependencies } = readJson<{ devDependencies: Record<string, string> }>(manifest);
  const path = createRequire(manifest).resolve(`${KINESIS_CLIENT}/package.json`);
  const { version } = readJson<{ version: string }>(path);
  const tested = devDependencies[KINESIS_CLIENT] as string;
  if (!isBefore(version, tested)) return;
  throw new ServiceError(
    'config/invalid',
    `the runner needs ${KINESIS_CLIENT} ${tested} or newer, and ${version} is installed: npm install ${KINESIS_CLIENT}@^${tested}, ` +
      'or deploy a published image (runner.imageUri)',
  );
}

/** Whether a version comes before another one. Both have three numbers with dots between. */
export function isBefore(version: string, other: string): boolean {
  return version.localeCompare(other, 'en', { numeric: true }) < 0;
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}
