import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { ServiceError } from '../../shared/errors.ts';
import { fromRoot } from './bundle-options.ts';

const NAME = '@aws-sdk/client-kinesis';

/**
 * The runner's image has the Kinesis client of whoever deploys, a peer of this package. An older one than the runner was
 * tested with leaves out of Kinesis' answers what it does not know, record distribution for one: then the runner would
 * write into a stream that keeps no order.
 *
 * @throws ServiceError `config/invalid` when it is older
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
    `the runner needs ${NAME} ${tested} or newer, here is ${version}: npm install ${NAME}@^${tested}, ` +
      'or deploy a published image (runner.imageUri)',
  );
}

/** @param version of three numbers, as `other` */
export function isBefore(version: string, other: string): boolean {
  return version.localeCompare(other, 'en', { numeric: true }) < 0;
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}
