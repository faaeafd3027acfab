import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { installingMs, killStarted } from './command.ts';
import type { Peer, PeerWork, ProofLine } from './peer.ts';
import { type PeerResult, rewriteProof } from './proof-page.ts';
import { PEERS } from './registry.ts';
import { missingToolChains } from './tool-chains.ts';

/**
 * `npm run test:peers [-- name … --write]`: software of others judges ours, one peer after another. What they need is installed into
 * `.peers-cache/`. A peer whose tool chain is missing is skipped, and has failed where `CI` or `RTMS_REQUIRE_PEERS=1` is set. Exit code 1
 * when a peer failed; `--write` puts what was seen into docs/proof.md.
 */
const { values, positionals } = parseArgs({
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

async function runPeer(peer: Peer): Promise<readonly ProofLine[]> {
  const scratch = await mkdtemp(join(tmpdir(), `rtms-peer-${peer.name}-`));
  const minutes = peer.atMostMinutes ?? 10;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`not done after ${minutes} minutes`);
    timer = setTimeout(() => reject(error), minutes * MINUTE_MS);
  });
  try {
    const work: PeerWork = {
      scratch,
      say: (text) => say(`  ${peer.name}: ${text}`),
      writePage: async (name, text) => {
        if (values.write) await writeFile(join(DOCS, name), text);
      },
    };
    return await Promise.race([peer.run(work), late]);
  } finally {
    clearTimeout(timer);
    killStarted();
    await rm(scratch, { recursive: true, force: true });
  }
}

const startedAt = performance.now();
const results: PeerResult[] = [];
const count = { passed: 0, failed: 0, skipped: 0 };
for (const peer of wanted) {
  const missing = missingToolChains(peer.needs);
  if (missing.length > 0) {
    const isFailed = Boolean(isDemanded);
    count[isFailed ? 'failed' : 'skipped'] += 1;
    say(`${isFailed ? 'FAILED ' : 'skipped'} ${peer.name}: ${missing.join('; ')}`);
    continue;
  }
  const begunAt = performance.now();
  const installedBefore = installingMs();
  const times = () =>
    `${seconds(performance.now() - begunAt)}, of it ${seconds(installingMs() - installedBefore)} installing`;
  try {
    const lines = await runPeer(peer);
    results.push({ peer, lines });
    count.passed += 1;
    const proven = lines.filter(({ isProven }) => isProven ?? true);
    const rest = lines.length - proven.length;
    const unproven = rest > 0 ? `, ${rest} not to be proven here` : '';
    say(`ok      ${peer.name}: ${proven.length} proven${unproven} (${times()})`);
    for (const { software, version, what, figures, isProven } of lines) {
      say(
        `        ${isProven === false ? 'not ' : ''}${software} ${version}: ${what} (${figures})`,
      );
    }
  } catch (error) {
    count.failed += 1;
    say(`FAILED  ${peer.name} (${times()}): ${error instanceof Error ? error.stack : error}`);
  }
}
if (values.write) {
  const page = await readFile(PROOF, 'utf8');
  const day = new Date().toISOString().slice(0, 10);
  await writeFile(PROOF, rewriteProof(page, names, results, day));
}
say(`${seconds(performance.now() - startedAt)}, of it ${seconds(installingMs())} installing`);
say(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
// Not `process.exitCode`: a peer that was stopped for being late may still hold sockets.
process.exit(count.failed > 0 ? 1 : 0);
