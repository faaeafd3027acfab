import { hash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { enter, type Machine } from './machine.ts';

const ROOT = new URL('../../../', import.meta.url).href;
/** What the address of a module of the simulation ends in: the process whose own it is, or that it is everybody's. */
const TAG = /\?(?:process=.+|sim)$/;
const SHARED = '?sim';
/** Modules that keep what belongs to one process: each process evaluates its own. */
const OF_A_PROCESS = /^functions\/[\w-]+\/handler\.ts$/;

/** Packages and modules of Node in whose place simulated code gets another one. */
const SHIMS: Readonly<Record<string, string>> = {
  'node:async_hooks': 'async-hooks',
  'node:crypto': 'crypto',
  'node:fs/promises': 'fs-promises',
  'node:http': 'http',
  'node:https': 'http',
  'node:net': 'net',
  'node:os': 'os',
  'node:perf_hooks': 'perf-hooks',
  'node:timers/promises': 'timers-promises',
  'node:tls': 'tls',
  '@smithy/node-http-handler': 'node-http-handler',
  '@aws-lambda-powertools/metrics': 'emf-metrics',
  pino: 'pino',
};

/** In place of the SDK's clients, unless the whole SDK is to run. */
const LEAN_SHIMS: Readonly<Record<string, string>> = {
  '@aws-sdk/client-dynamodb': 'client-dynamodb',
  '@aws-sdk/client-ecs': 'client-ecs',
  '@aws-sdk/client-kinesis': 'client-kinesis',
  '@aws-sdk/client-secrets-manager': 'client-secrets-manager',
  '@aws-sdk/client-sqs': 'client-sqs',
  '@aws-sdk/lib-dynamodb': 'lib-dynamodb',
};

/**
 * Files of ours at whose edge the simulation begins: the socket of the client, and that of the simulator with what it sends and
 * notes; a pool that keeps memory for its process; and pure functions that are asked for the same again and again.
 */
const EDGES: Readonly<Record<string, string>> = {
  'rtms/wire/lean-wire.ts': 'lean-wire',
  'simulator/sockets/socket-server.ts': 'socket-server',
  'simulator/sent-ledger.ts': 'sent-ledger',
  'simulator/media/synthetic-frame.ts': 'synthetic-frame',
  'shared/memory-pool.ts': 'memory-pool',
  'shared/session-table/parse-row.ts': 'parse-row',
};

/** The SDK reads the developer's own files, at a moment that no seed determines. */
const SDK = /\/node_modules\/@(?:aws-sdk|smithy)\//;
const FILES = /^(?:node:)?fs(?:\/promises)?$/;
/** Middy takes the timer that ends a webhook early from the module: on the clock of this machine it would hold up the end of a run. */
const MIDDY = /\/node_modules\/@middy\//;

function shimAddress(name: string): string {
  return fileURLToPath(new URL(`../shims/${name}.ts`, import.meta.url));
}

/** One edit of a source text, as it is loaded. */
export interface SourceEdit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

const hostImmediate = setImmediate;
const sources = new Map<string, string>();
let edits: readonly SourceEdit[] = [];

/**
 * Edits sources before they are loaded, those of readers for the judges too, which have them from the host. What else the judges
 * take from the shipped code are bounds, and these stay.
 *
 * @throws Error when an edit finds nothing
 */
export function editSources(given: readonly SourceEdit[]): void {
  edits = given;
  const ofReaders = given.filter(({ file }) => file.startsWith('sdk/'));
  if (ofReaders.length === 0) return;
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      const { source } = loaded;
      const isEdited = ofReaders.some(({ file }) => url.endsWith(`/${file}`));
      if (!isEdited || source == null) return loaded;
      return { ...loaded, source: edited(fileURLToPath(url), source.toString()) };
    },
  });
}

function edited(path: string, text: string): string {
  return edits.reduce((before, { file, find, replace }) => {
    if (!path.endsWith(`/${file}`)) return before;
    if (!before.includes(find)) throw new Error(`mutation: ${file} does not have "${find}"`);
    return before.replace(find, () => replace);
  }, text);
}

/** Where the host keeps what it has compiled; ours lies beside it. */
const { NODE_COMPILE_CACHE: cache } = process.env;

/** A TypeScript source without its types, which takes as long as a hundred frames. */
function stripped(text: string): string {
  const strip = () => stripTypeScriptTypes(text, { mode: 'strip' });
  if (cache === undefined) return strip();
  const path = join(cache, `${hash('sha1', `${process.version} ${text}`)}.js`);
  try {
    return readFileSync(path, 'utf8');
  } catch {
    const source = strip();
    mkdirSync(cache, { recursive: true });
    // Two runs may write it at once: each writes a file of its own and gives it its name.
    writeFileSync(`${path}.${process.pid}`, source);
    renameSync(`${path}.${process.pid}`, path);
    return source;
  }
}

function sourceOf(path: string): string {
  let source = sources.get(path);
  if (source === undefined) {
    source = stripped(edited(path, readFileSync(path, 'utf8')));
    sources.set(path, source);
  }
  return source;
}

/**
 * Gives simulated processes our modules, with shims in place of what reaches out of the process. Processes share the instances
 * of modules: their code is compiled and made fast once, and not for every life of every process. What modules keep would
 * outlive a process, so those that keep something for their process are none of them (`OF_A_PROCESS`, shims/memory-pool.ts);
 * loader.test.ts looks that there are no others. Packages keep caches of what is the same for all.
 */
export function installLoader(sdk: 'whole' | 'lean'): void {
  const shims = sdk === 'lean' ? { ...SHIMS, ...LEAN_SHIMS } : SHIMS;
  registerHooks({
    resolve(specifier, context, next) {
      if (!TAG.test(context.parentURL ?? '')) {
        const parent = context.parentURL ?? '';
        if (FILES.test(specifier) && SDK.test(parent))
          return next(shimAddress('no-files'), context);
        const isTimer = specifier === 'node:timers' && MIDDY.test(parent);
        return next(isTimer ? shimAddress('timers') : specifier, context);
      }
      const shim = shims[specifier];
      if (shim !== undefined) return next(shimAddress(shim), context);
      const resolved = next(specifier, context);
      const { url } = resolved;
      if (!url.startsWith(ROOT) || url.includes('/node_modules/')) return resolved;
      const edge = EDGES[url.slice(ROOT.length)];
      if (edge !== undefined) return next(shimAddress(edge), context);
      return { ...resolved, url: `${url}${SHARED}` };
    },
    load(url, context, next) {
      if (!TAG.test(url) || !url.startsWith(ROOT)) return next(url, context);
      if (!/\.ts\?/.test(url)) return next(url.replace(TAG, ''), context);
      return {
        format: 'module',
        source: `${evaluating.has(url) ? 'simEvaluates(import.meta.url);' : ''}${sourceOf(fileURLToPath(url.replace(TAG, '')))}`,
        shortCircuit: true,
      };
    },
  });
}

const evaluating = new Map<string, () => void>();
Object.assign(globalThis, { simEvaluates: (url: string) => evaluating.get(url)?.() });

/**
 * Starts to load a module of ours as a process. When `begun` resolves, its code runs, up to where it waits for something
 * that takes virtual time; until then no virtual time may pass.
 *
 * @param path below the root of the repository
 */
export function load<T>(
  path: string,
  machine: Machine,
): { begun: Promise<void>; loaded: Promise<T> } {
  const file = fileURLToPath(new URL(path, ROOT));
  const tag = OF_A_PROCESS.test(path) ? `?process=${machine.name}` : SHARED;
  const url = `${pathToFileURL(file).href}${tag}`;
  const { promise: evaluated, resolve } = Promise.withResolvers<void>();
  evaluating.set(url, resolve);
  enter(machine);
  const loaded = import(url) as Promise<T>;
  const begun = Promise.race([evaluated, loaded.then(() => {})]).then(() => {
    evaluating.delete(url);
    const { promise, resolve: turn } = Promise.withResolvers<void>();
    hostImmediate(turn);
    return promise;
  });
  return { begun, loaded };
}
