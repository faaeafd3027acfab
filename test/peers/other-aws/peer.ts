import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type AwsProcess, awsPrograms, startMinistack, startMoto } from '../emulators.ts';
import type { Peer, PeerWork, ProofLine } from '../peer.ts';
import { DIFFERENCES } from './differences.ts';
import { ecsGaps } from './ecs-gaps.ts';
import { runTestsTwice } from './vitest-run.ts';

const sessions = readdirSync(new URL('../../sessions', import.meta.url))
  .filter((name) => name.endsWith('.test.ts') && !name.endsWith('.long.test.ts'))
  .map((name) => `test/sessions/${name}`);
const stores = ['runner/ownership/store.test.ts'];
const webhook = ['register-store', 'handler', 'failures'].map(
  (name) => `functions/zoom-webhook/${name}.test.ts`,
);

interface Group {
  readonly what: string;
  readonly files: readonly string[];
}

type Groups = Readonly<Record<keyof typeof DIFFERENCES, readonly Group[]>>;

const CALLS: readonly Group[] = [
  { what: "the ownership store's tests on its DynamoDB", files: stores },
  { what: "the webhook's tests on its DynamoDB, SQS and Secrets Manager", files: webhook },
];
const SERVICES = 'on its DynamoDB, SQS, Kinesis and Secrets Manager';
/** Several processes at once and limits of seconds: too much for moto, where one thread of Python answers one call after another. */
const BUSY = ['catcher', 'missed', 'take-over'].map((name) => `test/sessions/${name}.test.ts`);
const SESSIONS: Groups = {
  ministack: [{ what: `all short tests of test/sessions ${SERVICES}`, files: sessions }],
  moto: [
    {
      what: `the short tests of test/sessions but ${BUSY.length} files ${SERVICES}`,
      files: sessions.filter((file) => !BUSY.includes(file)),
    },
  ],
};

export const otherAwsPeer: Peer = {
  name: 'other-aws',
  needs: ['python'],
  install: awsPrograms,
  run: (work) =>
    onBoth(work, { ministack: CALLS, moto: CALLS }, async (server) => [await ecsLine(server)]),
};

/** Apart from the calls, because its tests are of processes and clocks: they need a machine that is not busy. */
export const otherAwsSessionsPeer: Peer = {
  name: 'other-aws-sessions',
  needs: ['python'],
  install: awsPrograms,
  atMostMinutes: 20,
  defects: [
    'PutRecords in CBOR was answered 500 with a page of HTML by moto, and tried again for ever: until CBOR has been taken once, such an answer leads to JSON (`runner/kinesis/http/put-answer.ts`).',
  ],
  run: (work) =>
    onBoth(work, SESSIONS, async (server, name) =>
      name === 'moto' ? [await busyLine(server)] : [],
    ),
};

async function onBoth(
  work: PeerWork,
  groups: Groups,
  more: (server: AwsProcess, name: keyof Groups) => Promise<ProofLine[]>,
): Promise<ProofLine[]> {
  const lines: ProofLine[] = [];
  const ministack = await startMinistack();
  const { port } = ministack;
  const one = { dynamodb: port, sqs: port, kinesis: port, secretsManager: port };
  lines.push(...(await judged(work, 'ministack', ministack, one, groups.ministack)));
  lines.push(...(await more(ministack, 'ministack')));
  ministack.stop();
  const table = await startMoto();
  const queues = await startMoto();
  const others = await startMoto();
  const three = {
    dynamodb: table.port,
    sqs: queues.port,
    kinesis: others.port,
    secretsManager: others.port,
  };
  lines.push(...(await judged(work, 'moto', table, three, groups.moto)));
  lines.push(...(await more(table, 'moto')));
  for (const server of [table, queues, others]) server.stop();
  return lines;
}

const CALLS_TO_TIME = 100;

/** Says how long moto's only thread takes for one of the smallest calls. */
async function busyLine({ software, version, url }: AwsProcess): Promise<ProofLine> {
  const headers = {
    'content-type': 'application/x-amz-json-1.0',
    'x-amz-target': 'DynamoDB_20120810.ListTables',
  };
  const startedAt = performance.now();
  for (let call = 0; call < CALLS_TO_TIME; call += 1) {
    const answer = await fetch(url, { method: 'POST', headers, body: '{}' });
    assert.ok(answer.ok, `ListTables: ${answer.status}`);
    await answer.arrayBuffer();
  }
  const callMs = (performance.now() - startedAt) / CALLS_TO_TIME;
  return {
    software,
    version,
    what: BUSY.map((file) => `\`${file}\``).join(', '),
    figures: `one thread of it answers one call after another, ${callMs.toFixed(1)} ms for ListTables in this run; these files run up to six processes at once and hold them to limits of seconds`,
    isProven: false,
  };
}

/** The ECS that runs no containers decides nothing about our tests; what it answers to our calls is told. */
async function ecsLine({ software, version, url }: AwsProcess): Promise<ProofLine> {
  const gaps = await ecsGaps(url);
  const what = 'the calls to ECS that runners and the catcher make, on its ECS';
  if (gaps.length === 0) return { software, version, what, figures: 'answered as documented' };
  const figures = `${gaps.join('; ')}. The tests ran on our own ECS`;
  return { software, version, what, figures, isProven: false };
}

async function judged(
  work: PeerWork,
  name: keyof typeof DIFFERENCES,
  server: AwsProcess,
  servers: Readonly<Record<string, number>>,
  groups: readonly Group[],
): Promise<ProofLine[]> {
  const { software, version } = server;
  const scratch = join(work.scratch, name);
  await mkdir(scratch);
  const expected = (test: string) =>
    DIFFERENCES[name].find((one) => test.endsWith(one.test))?.reason;
  const startedAt = performance.now();
  const files = groups.flatMap((group) => group.files);
  const { outcomes, repeated } = await runTestsTwice(files, servers, scratch, expected);
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  work.say(`${name}: ${outcomes.length} tests in ${seconds} s, ${repeated} repeated alone`);
  const failed = outcomes.filter(({ state }) => state === 'failed');
  const surprises = failed.filter((one) => expected(one.name) === undefined);
  assert.deepEqual(surprises, [], `${name}: tests that fail and are not known to differ`);
  const differing = failed.map((one) => one.name);
  const known = DIFFERENCES[name].filter(({ file }) => files.includes(file));
  const stale = known.filter(({ test }) => !differing.some((one) => one.endsWith(test)));
  assert.deepEqual(stale, [], `${name}: differs no longer, delete the line`);
  const lines = groups.map((group): ProofLine => {
    const own = outcomes.filter(({ file }) => group.files.includes(file));
    const count = (wanted: string) => own.filter(({ state }) => state === wanted).length;
    const figures = [`${own.length} tests: ${count('passed')} passed`];
    if (count('failed') > 0) figures.push(`${count('failed')} differ`);
    if (count('skipped') > 0) figures.push(`${count('skipped')} skipped`);
    return { software, version, what: group.what, figures: figures.join(', ') };
  });
  const differences = known.map(
    ({ test, reason }): ProofLine => ({
      software,
      version,
      what: test,
      figures: reason,
      isProven: false,
    }),
  );
  return [...lines, ...differences];
}
