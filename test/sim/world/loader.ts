import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { enter, type Machine } from './machine.ts';

const ROOT = new URL('../../../', import.meta.url).href;
const TAG = /\?process=(.+)$/;

/** Packages and modules of Node in whose place simulated code gets another one. */
const SHIMS: Readonly<Record<string, string>> = {
  'node:crypto': 'crypto',
  'node:fs/promises': 'fs-promises',
  'node:http': 'http',
  'node:https': 'http',
  'node:os': 'os',
  'node:perf_hooks': 'perf-hooks',
  'node:timers/promises': 'timers-promises',
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

/** Files of ours at whose edge the simulation begins: the socket of the client, and that of the simulator. */
const EDGES: Readonly<Record<string, string>> = {
  'rtms/wire/lean-wire.ts': 'lean-wire',
  'simulator/sockets/socket-server.ts': 'socket-server',
  'simulator/sent-ledger.ts': 'sent-ledger',
};

/** The SDK reads the developer's own files, at a moment that no seed determines. */
const SDK = /\/node_modules\/@(?:aws-sdk|smithy)\//;
const FILES = /^(?:node:)?fs(?:\/promises)?$/;

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

/** Edits sources before they are loaded. @throws Error when an edit finds nothing */
export function editSources(given: readonly SourceEdit[]): void {
  edits = given;
}

function sourceOf(path: string): string {
  let source = sources.get(path);
  if (source === undefined) {
    let text = readFileSync(path, 'utf8');
    for (const { file, find, replace } of edits) {
      if (!path.endsWith(`/${file}`)) continue;
      if (!text.includes(find)) throw new Error(`mutation: ${file} does not have "${find}"`);
      text = text.replace(find, () => replace);
    }
    source = stripTypeScriptTypes(text, { mode: 'strip' });
    sources.set(path, source);
  }
  return source;
}

/**
 * Gives every simulated process its own instances of our modules, and shims in place of what reaches out of the process.
 * The process stands in the query of each module's address, from where its imports take it on. Packages are shared: what
 * they keep in their modules are caches of what is the same for all.
 */
export function installLoader(sdk: 'whole' | 'lean'): void {
  const shims = sdk === 'lean' ? { ...SHIMS, ...LEAN_SHIMS } : SHIMS;
  registerHooks({
    resolve(specifier, context, next) {
      const tag = context.parentURL?.match(TAG)?.[0];
      if (tag === undefined) {
        const isSdkFile = FILES.test(specifier) && SDK.test(context.parentURL ?? '');
        return next(isSdkFile ? shimAddress('no-files') : specifier, context);
      }
      const shim = shims[specifier];
      if (shim !== undefined) return next(shimAddress(shim), context);
      const resolved = next(specifier, context);
      const { url } = resolved;
      if (!url.startsWith(ROOT) || url.includes('/node_modules/')) return resolved;
      const edge = EDGES[url.slice(ROOT.length)];
      if (edge !== undefined) return next(shimAddress(edge), context);
      return { ...resolved, url: `${url}${tag}` };
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
  const url = `${pathToFileURL(file).href}?process=${machine.name}`;
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
