import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { commandOptions } from '../support/command-options.ts';
import { installingMs, killStarted, startingFor } from './command.ts';
import { cpuSeconds } from './cpu-seconds.ts';
import type { Peer, PeerWork, ProofLine } from './peer.ts';
import { type PeerResult, rewriteProof } from './proof-page.ts';
import { PEERS } from './registry.ts';
import { missingToolChains } from './tool-chains.ts';

/**
 * `npm run test:peers [-- name … --write]`: software of others judges ours, one peer after another, and two at once of
 * those that measure no time. What they need is installed into `.peers-cache/`, for one peer at a time, while those before it run. A peer whose tool chain is missing is skipped, and has failed where `CI` or `RTMS_REQUIRE_PEERS=1` is set. Exit code 1
 * when a peer failed; `--write` puts what was seen into docs/proof.md.
 */
const { values, positionals } = commandOptions('npm run test:peers -- [name …]', {
  options: { write: { type: 'boolean', default: false } },
  allowPositionals: true,
});
const DOCS = fileURLToPath(new URL('../../docs/', import.meta.url));
const PROOF = join(DOCS, 'proof.md');
const MINUTE_MS = 60_000;
const isDemanded = ['CI', 'RTMS_REQUIRE_PEERS'].some((name) => process.env[name]);
const say = (text: string) => process.stdout.write(`${text}\n`);
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;

const names = PEERS.map(({ name }) => name);
const unknown = positionals.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`no peer "${unknown.join(', ')}"; known: ${names.join(', ')}\n`);
  process.exit(2);
}
const wanted = PEERS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));

const missing = new Map(wanted.map((peer) => [peer, missingToolChains(peer.needs)]));
const installed = installInBackground(wanted.filter((peer) => missing.get(peer)?.length === 0));
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    killStarted();
    process.exit(130);
  });
}

/** Fetches for one peer after another. @returns by peer, when everything is there */
function installInBackground(peers: readonly Peer[]): Map<Peer, Promise<unknown>> {
  let before: Promise<unknown> = Promise.resolve();
  return new Map(
    peers.map((peer) => {
      const own = before.then(() => peer.install());
      // Told as a failure of the peer, which waits for it.
      before = own.catch(() => undefined);
      return [peer, own];
    }),
  );
}

/** @param onInstalled is called when everything that the peer needs is there */
async function runPeer(peer: Peer, onInstalled: () => void): Promise<readonly ProofLine[]> {
  const scratch = await mkdtemp(join(tmpdir(), `rtms-peer-${peer.name}-`));
  const minutes = peer.atMostMinutes ?? 10;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`not done after ${minutes} minutes`);
    timer = setTimeout(() => reject(error), minutes * MINUTE_MS);
  });
  const work: PeerWork = {
    scratch,
    say: (text) => say(`  ${peer.name}: ${text}`),
    writePage: async (name, text) => {
      if (values.write) await writeFile(join(DOCS, name), text);
    },
  };
  const running = async () => {
    await installed.get(peer);
    onInstalled();
    return await startingFor(peer.name, () => peer.run(work));
  };
  try {
    return await Promise.race([running(), late]);
  } finally {
    clearTimeout(timer);
    killStarted(peer.name);
    await rm(scratch, { recursive: true, force: true });
  }
}

/**
 * Wall clock and processor time since it was made, in words. On a cold cache the latter has what is fetched for later peers in it.
 *
 * @param isAlone nothing else runs, so the processor time of all children is told
 */
function stopwatch(isAlone: boolean) {
  const startedAt = performance.now();
  const cpuBefore = cpuSeconds();
  let readyAt = startedAt;
  return {
    ready: () => {
      readyAt = performance.now();
    },
    toString: () => {
      const cpu = cpuSeconds();
      const cpuText =
        !isAlone || cpu === undefined || cpuBefore === undefined
          ? ''
          : `, ${(cpu - cpuBefore).toFixed(1)} s of CPU`;
      const waited = readyAt - startedAt;
      return `${seconds(performance.now() - startedAt)}, of it ${seconds(waited)} waiting for what is installed${cpuText}`;
    },
  };
}

/** After each peer, so that a run that ends early has not been for nothing. */
function writeRows(result: PeerResult): void {
  if (!values.write) return;
  const day = new Date().toISOString().slice(0, 10);
  writeFileSync(PROOF, rewriteProof(readFileSync(PROOF, 'utf8'), names, [result], day));
}

const whole = stopwatch(true);
const count = { passed: 0, failed: 0, skipped: 0 };
const table: string[] = [];

async function judge(peer: Peer, isAlone: boolean): Promise<void> {
  const lacks = missing.get(peer) ?? [];
  if (lacks.length > 0) {
    const isFailed = Boolean(isDemanded);
    count[isFailed ? 'failed' : 'skipped'] += 1;
    say(`${isFailed ? 'FAILED ' : 'skipped'} ${peer.name}: ${lacks.join('; ')}`);
    return;
  }
  const times = stopwatch(isAlone);
  try {
    const lines = await runPeer(peer, times.ready);
    writeRows({ peer, lines });
    count.passed += 1;
    const proven = lines.filter(({ isProven }) => isProven ?? true);
    const rest = lines.length - proven.length;
    const unproven = rest > 0 ? `, ${rest} not to be proven here` : '';
    say(`ok      ${peer.name}: ${proven.length} proven${unproven} (${times})`);
    for (const { software, version, what, figures, isProven } of lines) {
      say(
        `        ${isProven === false ? 'not ' : ''}${software} ${version}: ${what} (${figures})`,
      );
    }
  } catch (error) {
    count.failed += 1;
    say(`FAILED  ${peer.name} (${times}): ${error instanceof Error ? error.stack : error}`);
  }
  table.push(`  ${peer.name}: ${times}`);
}

const timeless = wanted.filter(({ isTimeless }) => isTimeless);
const isAlone = timeless.length < 2;
const next = async () => {
  for (let peer = timeless.shift(); peer !== undefined; peer = timeless.shift()) {
    await judge(peer, isAlone);
  }
};
await Promise.all([next(), next()]);
for (const peer of wanted.filter(({ isTimeless }) => !isTimeless)) await judge(peer, true);
killStarted();
for (const line of table) say(line);
say(`${whole}; ${seconds(installingMs())} of installing in the background and before`);
say(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
// Not `process.exitCode`: a peer that was stopped for being late may still hold sockets.
process.exit(count.failed > 0 ? 1 : 0);
