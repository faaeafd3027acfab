import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ServiceError } from '../../shared/errors.ts';
import { fromRoot } from './bundle-options.ts';

const NAME = '@aws-sdk/client-kinesis';

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
  const path = createRequire(manifest).resolve(`${NAME}/package.json`);
  const { version } = readJson<{ version: string }>(path);
  const tested = devDependencies[NAME] as string;
  if (!isBefore(version, tested)) return;
  throw new ServiceError(
    'config/invalid',
    `the runner needs ${NAME} ${tested} or newer, and ${version} is installed: npm install ${NAME}@^${tested}, ` +
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
