/**
 * Installs the dependencies when `node_modules` is missing or older than the lockfile, so that
 * `npm start` and `npm test` work alone on a fresh clone. Plain JavaScript: it runs before Node 24
 * (itself one of the dependencies) is there.
 */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';

const ATTEMPTS = 3;
const ATTEMPT_TIMEOUT_MS = 5 * 60_000;

const modifiedAtMs = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

if (modifiedAtMs('node_modules/.package-lock.json') < modifiedAtMs('package-lock.json')) {
  process.stderr.write('Installing dependencies (npm ci) ...\n');
  if (!install()) {
    process.stderr.write('npm ci failed: see above. Is the npm registry reachable?\n');
    process.exit(1);
  }
}

/** A download can stall without an error, so an attempt that takes too long is ended and made again. */
function install() {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const { status } = spawnSync(
      'npm',
      ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--fetch-timeout=60000'],
      { stdio: ['ignore', 2, 2], timeout: ATTEMPT_TIMEOUT_MS },
    );
    if (status === 0) return true;
    process.stderr.write(`npm ci: attempt ${attempt} of ${ATTEMPTS} failed\n`);
  }
  return false;
}
