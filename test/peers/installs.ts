import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installWith, runCommand } from './command.ts';
import { digestOf } from './digest.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** What the peers install stays here between runs; git, the tests and the linter ignore it. */
const CACHE = process.env['RTMS_PEERS_CACHE'] ?? join(ROOT, '.peers-cache');
const READY = '.ready.json';

/**
 * Makes a folder of the cache once. It is made anew when `wanted` changes, or when the process ended while it was being made.
 *
 * @param wanted everything that decides what is in the folder, with exact versions
 */
async function cached(
  name: string,
  wanted: unknown,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const folder = join(CACHE, name);
  const stamp = join(folder, READY);
  const text = JSON.stringify(wanted);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === text) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await make(folder);
  writeFileSync(stamp, text);
  return folder;
}

/** A Python of its own with these packages, given with exact versions as `boto3==1.40.1`. @returns its folder of programs */
export async function pythonPrograms(name: string, packages: readonly string[]): Promise<string> {
  const folder = await cached(`python-${name}`, packages, async (venv) => {
    await installWith('python3', ['-m', 'venv', venv]);
    await installWith(join(venv, 'bin', 'pip'), ['install', '--quiet', ...packages]);
  });
  return join(folder, 'bin');
}

/**
 * The same with a Python project of this repository, which `pip` builds and installs as a user's does, with what it depends on. It is
 * installed anew when one of its files has changed.
 */
export async function pythonProject(
  name: string,
  project: string,
  packages: readonly string[],
): Promise<string> {
  const sources = digestOf([project]);
  const folder = await cached(`python-${name}`, { packages, sources }, async (venv) => {
    await installWith('python3', ['-m', 'venv', venv]);
    // A copy, because a build leaves files beside the sources.
    const copy = join(venv, 'project');
    cpSync(project, copy, { recursive: true });
    await installWith(join(venv, 'bin', 'pip'), ['install', '--quiet', ...packages, copy]);
  });
  return join(folder, 'bin');
}

/** @returns what tells the installed versions of packages, separated by commas */
export async function pythonVersions(python: string): Promise<(...packages: string[]) => string> {
  const { stdout } = await runCommand(python, ['-m', 'pip', 'list', '--format', 'json']);
  const installed: { name: string; version: string }[] = JSON.parse(stdout);
  return (...packages) =>
    packages.map((name) => installed.find((one) => one.name === name)?.version).join(', ');
}

/** As {@link pythonPrograms}, for programs of Python 2.7: it has no `venv`, so the last `virtualenv` that knows it makes one. */
export async function python2Programs(name: string, packages: readonly string[]): Promise<string> {
  const folder = await cached(`python2-${name}`, packages, async (root) => {
    const maker = join(root, 'virtualenv');
    const env = { PYENV_VERSION: '2.7.18', PYTHONPATH: maker, PYTHONWARNINGS: 'ignore' };
    const pip = ['-m', 'pip', 'install', '--quiet', '--target', maker, 'virtualenv==20.15.1'];
    await installWith('python2.7', pip, { env: { ...env, PYTHONPATH: '' } });
    await installWith('python2.7', ['-m', 'virtualenv', '--quiet', join(root, 'venv')], { env });
    await installWith(join(root, 'venv', 'bin', 'pip'), ['install', '--quiet', ...packages]);
    rmSync(maker, { recursive: true });
  });
  return join(folder, 'venv', 'bin');
}

/**
 * The files of a package of the machine's Debian, without what it depends on and without installing it. Where the lists of packages have
 * never been fetched, that is done first, as root.
 *
 * @returns the folder that stands for `/`
 */
export function debianFiles(name: string): Promise<string> {
  const script = `apt-cache show ${name} >/dev/null 2>&1 || apt-get update -qq
    apt-get download -q ${name} && dpkg-deb --extract ${name}_*.deb . && rm ${name}_*.deb`;
  return cached(`debian-${name}`, name, (folder) =>
    installWith('sh', ['-c', script], { cwd: folder }),
  );
}

/** An npm project of its own with these packages, given with exact versions as `ws@8.0.0`. @returns its folder */
export function npmProject(name: string, packages: readonly string[]): Promise<string> {
  return cached(`npm-${name}`, packages, async (folder) => {
    writeFileSync(join(folder, 'package.json'), '{"private":true}');
    await installWith('npm', ['install', '--no-audit', '--no-fund', '--silent', ...packages], {
      cwd: folder,
    });
  });
}

/** A program from crates.io, built here. @returns the path of its folder of programs */
export async function cargoPrograms(crate: string, version: string): Promise<string> {
  const folder = await cached(`cargo-${crate}`, { crate, version }, (root) =>
    installWith('cargo', ['install', '--locked', '--root', root, crate, '--version', version]),
  );
  return join(folder, 'bin');
}

/**
 * The environment of Go's commands: modules and builds stay in the cache. Run `go mod download` in the peer's folder with
 * {@link installWith} first, so that an absent registry is told as one.
 */
export function goEnvironment(): Record<string, string> {
  const folder = (name: string) => join(CACHE, 'go', name);
  return { GOMODCACHE: folder('modules'), GOCACHE: folder('builds'), GOFLAGS: '-modcacherw' };
}

/** Options of every `mvn` command: artifacts stay in the cache, no questions, no progress bars. */
export function mavenOptions(): string[] {
  return ['--batch-mode', '--no-transfer-progress', `-Dmaven.repo.local=${join(CACHE, 'maven')}`];
}

/** A folder of the cache for what a peer builds from its own sources (a Maven `target`, a Go program). */
export function buildFolder(name: string): string {
  const folder = join(CACHE, `build-${name}`);
  mkdirSync(folder, { recursive: true });
  return folder;
}
