import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type OutgoingHttpHeaders, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeServer, listen } from '../../simulator/sockets/listen.ts';
import { startMcpServer, type TestMcpServer } from '../support/mcp-server.ts';
import { type MeetingRecords, startMeetingRecords } from '../support/meeting-records.ts';
import { START_MS } from '../support/test-records.ts';
import { APPLICABLE, LACKS, NOT_APPLICABLE, RENAMED, REVISIONS } from './conformance-scenarios.ts';

/** The protocol's own suite, in both protocol families. Which scenarios it leaves out stands in conformance-scenarios.ts. */

const SUITE = 'node_modules/@modelcontextprotocol/conformance/dist/index.js';
/** Three answers of Kinesis that take so long take longer than three progress messages, and less than the suite's 10 s. */
const SLOW_MS = 2_300;

let records: MeetingRecords;
let mcp: TestMcpServer;
let proxy: Awaited<ReturnType<typeof startProxy>>;
beforeAll(async () => {
  records = await startMeetingRecords();
  for (const rtmsStreamId of ['alpha', '123', 'slow']) {
    await records.row({ rtmsStreamId, owner: 'task-1' });
    await records.said(rtmsStreamId, `This is meeting ${rtmsStreamId}.`, 'Ada', START_MS);
  }
  mcp = await startMcpServer(records.deployment);
  proxy = await startProxy();
});
afterAll(async () => {
  await proxy?.close();
  await mcp?.[Symbol.asyncDispose]();
  await records?.[Symbol.asyncDispose]();
});

/**
 * The suite has no token and asks for tools and resources of fixed names. This puts the token into its requests, and names
 * of ours in place of those, and changes nothing else.
 */
async function startProxy() {
  const { port } = new URL(mcp.url);
  const server = createServer(async (incoming, outgoing) => {
    const { host = '', origin } = incoming.headers;
    const own = [`127.0.0.1:${proxyPort}`, `localhost:${proxyPort}`];
    const headers: OutgoingHttpHeaders = {
      ...incoming.headers,
      host: own.includes(host) ? `127.0.0.1:${port}` : host,
      authorization: `Bearer ${mcp.token}`,
      ...(origin?.endsWith(`:${proxyPort}`) && {
        origin: origin.replace(`:${proxyPort}`, `:${port}`),
      }),
    };
    let text = (await buffer(incoming)).toString();
    for (const { from, to, name } of RENAMED) {
      text = text.replaceAll(from, to);
      if (name !== undefined && headers['mcp-name'] === name[0]) headers['mcp-name'] = name[1];
    }
    const body = Buffer.from(text);
    if (body.length > 0) headers['content-length'] = String(body.length);
    const { method, url: path } = incoming;
    const forward = request({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    outgoing.on('close', () => forward.destroy());
    forward.on('error', () => outgoing.destroy());
    forward.end(body);
  });
  const proxyPort = await listen(server, 0);
  return { url: `http://localhost:${proxyPort}/mcp`, close: () => closeServer(server) };
}

function suite(...args: string[]): Promise<{ code: unknown; said: string }> {
  return new Promise((resolve) =>
    execFile(process.execPath, [SUITE, ...args], (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, said: stdout + stderr }),
    ),
  );
}

/** Every server scenario that the suite has, with its revisions. */
async function listed(): Promise<Map<string, string[]>> {
  const { said } = await suite('list', '--server');
  const [part = ''] = said.split('Client scenarios');
  return new Map(
    [...part.matchAll(/^ {2}- (\S+) \[(.*)\]$/gm)].map(([, name = '', revisions = '']) => [
      name,
      revisions.split(','),
    ]),
  );
}

interface Check {
  readonly id: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
  readonly errorMessage?: string;
}

async function run(scenario: string, revision: string): Promise<{ checks: Check[]; said: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'rtms-conformance-'));
  const of = ['--scenario', scenario, '--spec-version', revision, '--timeout', '60000'];
  const { said } = await suite('server', '--url', proxy.url, ...of, '-o', folder);
  const [name = ''] = await readdir(folder);
  const checks = JSON.parse(await readFile(join(folder, name, 'checks.json'), 'utf8'));
  await rm(folder, { recursive: true });
  return { checks, said };
}

const scenarios = await listed();

test('every server scenario is run, or is named with the reason why it does not apply', () => {
  const named = [...APPLICABLE, ...Object.values(NOT_APPLICABLE).flat()];
  expect(named.toSorted()).toEqual([...scenarios.keys()].toSorted());
});

const cases = APPLICABLE.flatMap((scenario) =>
  REVISIONS.filter((revision) => scenarios.get(scenario)?.includes(revision)).map(
    (revision) => [scenario, revision] as const,
  ),
);

test.each(cases)('conformance: %s in %s', { timeout: 120_000 }, async (scenario, revision) => {
  const isSlow = scenario === 'tools-call-with-progress';
  if (isSlow) records.kinesis.faults.set({ rules: [{ latencyMs: SLOW_MS }] });
  const { checks, said } = await run(scenario, revision);
  records.kinesis.faults.clear();
  const failed = checks.filter(({ status }) => status === 'FAILURE' || status === 'WARNING');
  const lacks = LACKS[scenario] ?? {};
  expect(failed.map(({ id }) => id).toSorted(), said).toEqual(Object.keys(lacks).toSorted());
  expect(checks.filter(({ status }) => status === 'SUCCESS').length, said).toBeGreaterThan(0);
});
