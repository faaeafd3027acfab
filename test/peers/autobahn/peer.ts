import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { selfSigned } from '../../support/rtms/self-signed.ts';
import { runCommand, startCommand } from '../command.ts';
import { freePort } from '../free-port.ts';
import { python2Programs } from '../installs.ts';
import type { Peer, PeerWork, ProofLine } from '../peer.ts';
import { ask, type Engine, echo } from './echo.ts';
import { bytesToRead, type CaseReport, judge } from './judgement.ts';
import { type EngineReport, reportPage } from './report-page.ts';

/** All but compression (12 and 13), which our client never offers. */
const CASES = ['1.*', '2.*', '3.*', '4.*', '5.*', '6.*', '7.*', '9.*', '10.*'];
/** Cases in flight: most of their time is the suite's waiting. Those of section 9 are alone, since they are measured. */
const AT_ONCE = 8;
const START_MS = 180_000;

const install = () => python2Programs('autobahn', ['autobahntestsuite==0.8.2']);

export const autobahnPeer: Peer = {
  name: 'autobahn',
  needs: ['python2'],
  isTimeless: true,
  install,
  defects: [
    'the pong for a ping between the fragments of a message was sent behind the answer to that message (cases 5.6 and 5.19): it goes out before the message is handed on (`rtms/wire/lean-wire.ts`)',
  ],
  async run(work) {
    const programs = await install();
    const printed = await runCommand(join(programs, 'wstest'), ['--autobahnversion']);
    const version = /autobahn-?testsuite\D*(\d[\w.]*)/i.exec(printed.stdout)?.[1] ?? 'unknown';
    const reports: EngineReport[] = [];
    const engines = [
      { name: 'lean', webSocket: 'lean', isSecure: false },
      { name: 'lean-tls', webSocket: 'lean', isSecure: true },
      { name: 'ws', webSocket: 'ws', isSecure: false },
    ] as const;
    for (const { isSecure, ...engine } of engines) {
      const cases = await runSuite(work, join(programs, 'wstest'), engine, isSecure);
      const wrong = cases.filter((one) => judge(one, engine.webSocket) === undefined);
      assert.deepEqual(wrong, [], `${engine.name}: ${wrong.map(({ id }) => id).join(', ')}`);
      work.say(`${engine.name}: ${cases.length} cases`);
      reports.push({ engine, cases });
    }
    await work.writePage('autobahn.md', reportPage(reports, version));
    return reports.map(({ engine, cases }): ProofLine => {
      const fine = cases.filter((one) => judge(one, engine.webSocket) === 'fine').length;
      return {
        software: 'Autobahn|Testsuite, fuzzing server (PyPI)',
        version,
        what: `the WebSocket client (${engine.name}) against all cases of sections 1 to 7, 9 and 10`,
        figures: `${cases.length} cases: ${fine} passed, ${cases.length - fine} differ as meant ([which and why](autobahn.md))`,
      };
    });
  },
};

async function runSuite(
  work: PeerWork,
  wstest: string,
  plain: Engine,
  isSecure: boolean,
): Promise<CaseReport[]> {
  const port = await freePort();
  const address = `${isSecure ? 'wss' : 'ws'}://localhost:${port}`;
  const folder = join(work.scratch, plain.name);
  const { key, cert } = selfSigned();
  const files = { key: `${folder}.key`, cert: `${folder}.cert`, spec: `${folder}.json` };
  await writeFile(files.key, key);
  await writeFile(files.cert, cert);
  const secure = isSecure ? { key: files.key, cert: files.cert } : {};
  const spec = { url: address, outdir: folder, cases: CASES, ...secure };
  await writeFile(files.spec, JSON.stringify(spec));
  const mode = ['--mode', 'fuzzingserver', '--webport', '0', '--spec', files.spec];
  const server = startCommand(wstest, mode);
  let said = '';
  for (const output of [server.stdout, server.stderr]) {
    output.on('data', (text) => (said = `${said}${text}`.slice(-2_000)));
  }
  try {
    const engine = isSecure ? { ...plain, ca: cert } : plain;
    const count = Number(await askWhenUp(`${address}/getCaseCount`, engine));
    await runCases(address, engine, count);
    await ask(`${address}/updateReports?agent=${engine.name}`, engine);
    return await readReports(folder, engine.name, count);
  } catch (error) {
    throw new Error(`${(error as Error).message}\nthe suite said: ${said}`, { cause: error });
  } finally {
    server.kill('SIGKILL');
  }
}

async function askWhenUp(url: string, engine: Engine): Promise<string> {
  const deadline = performance.now() + START_MS;
  for (;;) {
    try {
      return await ask(url, engine);
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await wait(200);
    }
  }
}

async function runCases(address: string, engine: Engine, count: number): Promise<void> {
  const infos: { number: number; id: string; description: string }[] = [];
  for (let number = 1; number <= count; number += 1) {
    const info = JSON.parse(await ask(`${address}/getCaseInfo?case=${number}`, engine));
    infos.push({ number, ...info });
  }
  const run = async ({ number, id, description }: (typeof infos)[number]) => {
    const isBinary = /binary/i.test(description);
    const url = `${address}/runCase?case=${number}&agent=${engine.name}`;
    const longest = await echo(url, engine, isBinary);
    const expected = bytesToRead(description, engine.webSocket);
    // The suite cannot judge what does not come back, so what was read is compared here.
    if (isBinary && expected !== undefined) {
      assert.equal(longest, expected, `${engine.name}, case ${id}`);
    }
  };
  const isAlone = ({ id }: { id: string }) => id.startsWith('9.');
  const together = infos.filter((info) => !isAlone(info));
  const workers = Array.from({ length: AT_ONCE }, async () => {
    for (let next = together.shift(); next !== undefined; next = together.shift()) await run(next);
  });
  await Promise.all(workers);
  for (const info of infos.filter(isAlone)) await run(info);
}

async function readReports(folder: string, agent: string, count: number): Promise<CaseReport[]> {
  const index = JSON.parse(await readFile(join(folder, 'index.json'), 'utf8'))[agent];
  const files = Object.values<{ reportfile: string }>(index);
  assert.equal(files.length, count, 'the suite has reported every case');
  const read = async (file: string) => JSON.parse(await readFile(join(folder, file), 'utf8'));
  const reports = await Promise.all(files.map(({ reportfile }) => read(reportfile)));
  const byNumber = (a: { case: number }, b: { case: number }) => a.case - b.case;
  return reports
    .sort(byNumber)
    .map(({ id, description, expectation, behavior, behaviorClose }) => ({
      id,
      description,
      expectation,
      behavior,
      behaviorClose,
    }));
}
