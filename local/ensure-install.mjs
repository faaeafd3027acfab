/**
 * Installs the dependencies when `node_modules` is missing or older than the lockfile, so that `npm start` and
 * `npm test` work on a fresh clone. Plain JavaScript, because it runs before Node 26 is there: on Linux with glibc
 * Node 26 is one of the dependencies.
 */
import { spawn, spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';

const ATTEMPTS = 3;
const ATTEMPT_TIMEOUT_MS = 5 * 60_000;
const LOOK_MS = 250;
const NEEDED = [22, 18];

const modifiedAtMs = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;

if (modifiedAtMs('node_modules/.package-lock.json') < modifiedAtMs('package-lock.json')) {
  process.stderr.write('Installing dependencies (npm ci) ...\n');
  if (!(await install())) {
    process.stderr.write('npm ci failed: see above. Is the npm registry reachable?\n');
    process.exit(1);
  }
}
refuseOldNode();

async function install() {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    if (await installOnce()) return true;
    process.stderr.write(`npm ci: attempt ${attempt} of ${ATTEMPTS} failed\n`);
  }
  return false;
}

/**
 * A download can stall without an error, so an attempt that takes too long is killed. It is killed too when the npm
 * that called this script is gone: otherwise it would write into `node_modules` beside the next one. It takes
 * SIGKILL, because npm ignores SIGTERM while it installs.
 */
function installOnce() {
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--fetch-timeout=60000'];
  // On Windows the file is `npm.cmd`, which only the shell finds.
  const child = spawn('npm', args, {
    stdio: ['ignore', 2, 2],
    shell: process.platform === 'win32',
  });
  const parent = process.ppid;
  const end = () => {
    child.kill('SIGKILL');
    process.exit(130);
  };
  process.once('SIGTERM', end);
  process.once('SIGINT', end);
  const look = setInterval(() => process.ppid !== parent && end(), LOOK_MS);
  const timeout = setTimeout(() => child.kill('SIGKILL'), ATTEMPT_TIMEOUT_MS);
  return new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  }).finally(() => {
    clearInterval(look);
    clearTimeout(timeout);
    process.off('SIGTERM', end);
    process.off('SIGINT', end);
  });
}

/** Scripts run on the Node among the dependencies, or on the user's own where there is none. */
function refuseOldNode() {
  const { stdout } = spawnSync('node', ['--version'], { encoding: 'utf8' });
  const version = (stdout ?? '').trim().replace(/^v/, '');
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) return;
  process.stderr.write(
    `This needs Node.js ${NEEDED.join('.')} or newer; found ${version || 'none'}\n`,
  );
  process.exit(1);
}
