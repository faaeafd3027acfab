import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { requiredPeers } from '../supply-chain/lock.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const NAME = 'rtms-kinesis';

export interface PackedPackage extends Disposable {
  readonly tarball: string;
  /** What the tarball holds, by path inside the package. */
  readonly files: readonly { readonly path: string; readonly size: number }[];
  /** A folder of its own for projects; goes with the rest. */
  readonly directory: string;
}

/** What is compiled into `dist`. */
const SOURCES = ['sdk', 'rtms', 'runner', 'shared', 'simulator', 'cli', 'local', 'infra'];

/**
 * Packs the package as `npm publish` would, in a folder of its own: the checkout's `dist` stays as it is.
 *
 * @param build `complete`: by `tsconfig.build.json`, as published, which takes half a minute; `quick`: the same
 *   programs with their types stripped, without declarations, in a second
 */
export function packPackage(build: 'quick' | 'complete'): PackedPackage {
  const directory = mkdtempSync(join(tmpdir(), 'rtms-drop-in-'));
  const stage = join(directory, 'stage');
  const manifest = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as {
    files: string[];
  };
  const wanted = manifest.files.filter((path) => !path.startsWith('!') && path !== 'dist');
  for (const path of [...wanted, 'package.json', 'README.md', 'LICENSE']) {
    // What is only made when publishing may not be there.
    const source = join(REPOSITORY, path);
    if (existsSync(source)) cpSync(source, join(stage, path), { recursive: true });
  }
  const strip = join(REPOSITORY, 'local', 'published-manifest.mjs');
  run(process.execPath, [strip, 'strip'], stage);
  if (build === 'quick') stripTypes(join(stage, 'dist'));
  else {
    const tsc = join(REPOSITORY, 'node_modules', 'typescript', 'bin', 'tsc');
    const args = [tsc, '-p', 'tsconfig.build.json', '--outDir', join(stage, 'dist')];
    run(process.execPath, args, REPOSITORY);
  }
  const packed = run('npm', ['pack', '--json', '--ignore-scripts', '--loglevel=error'], stage);
  // One npm lists its packages, another names them.
  const [pack] = Object.values(JSON.parse(packed) as Record<string, PackReport>);
  if (pack === undefined) throw new Error('npm pack named no package');
  return {
    tarball: join(stage, pack.filename),
    files: pack.files,
    directory,
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}

interface PackReport {
  readonly filename: string;
  readonly files: PackedPackage['files'];
}

const RELATIVE_IMPORT = /((?:from|import|import\()\s*['"])(\.{1,2}\/[^'"]+)\.ts(?=['"])/g;

function stripTypes(dist: string): void {
  for (const folder of SOURCES) {
    for (const entry of readdirSync(join(REPOSITORY, folder), { recursive: true })) {
      const path = join(folder, String(entry));
      if (!path.endsWith('.ts') || path.endsWith('.test.ts')) continue;
      const source = stripTypeScriptTypes(readFileSync(join(REPOSITORY, path), 'utf8'));
      const target = join(dist, path.replace(/\.ts$/, '.js'));
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, source.replace(RELATIVE_IMPORT, '$1$2.js'));
    }
  }
}

/**
 * A project that has the tarball installed, its dependencies being those of this checkout: without a registry,
 * and in no time. `main.ts` beside this file installs it for real.
 */
export function quickProject(packed: PackedPackage): string {
  const project = join(packed.directory, 'project');
  const modules = join(project, 'node_modules');
  const installed = join(modules, NAME);
  mkdirSync(installed, { recursive: true });
  writeFileSync(join(project, 'package.json'), '{"private":true}');
  run('tar', ['-xzf', packed.tarball, '--strip-components=1', '-C', installed], project);
  const manifest = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
    peerDependencies: Record<string, string>;
  };
  const dependencies = Object.keys(manifest.dependencies);
  for (const name of [...dependencies, ...requiredPeers(manifest), 'fastify']) {
    const link = join(modules, name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(REPOSITORY, 'node_modules', name), link);
  }
  return project;
}

/** Copies the programs of a folder beside this file into a project. @returns their names */
export function copyPrograms(
  project: string,
  folder: 'programs' | 'gateways' | 'own-sdk',
): string[] {
  const source = fileURLToPath(new URL(folder, import.meta.url));
  const names = readdirSync(source);
  for (const name of names) cpSync(join(source, name), join(project, name));
  return names;
}

/** @throws with what the command wrote to standard error */
export function run(
  command: string,
  args: readonly string[],
  cwd: string,
  environment: Readonly<Record<string, string>> = {},
): string {
  return execFileSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  });
}
