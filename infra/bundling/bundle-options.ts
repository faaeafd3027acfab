import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { BuildOptions } from 'esbuild';

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
