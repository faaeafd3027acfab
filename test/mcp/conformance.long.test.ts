import { execFile } from 'node:child_process';
import { createServer, request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeServer, listen } from '../../simulator/sockets/listen.ts';
import { type HttpMcp, startHttpMcp } from '../support/mcp-client.ts';
import { type MeetingRecords, startMeetingRecords } from '../support/meeting-records.ts';
import { START_MS } from '../support/test-records.ts';

/**
 * Scenarios of the protocol's own suite that are about servers of every kind. The others call tools, prompts and resources
 * that a server has to bring for them (`test_simple_text`, `test://static-text`, …).
 */
const SCENARIOS = [
  'server-initialize',
  'ping',
  'tools-list',
  'resources-list',
  'dns-rebinding-protection',
];

let records: MeetingRecords;
let mcp: HttpMcp;
beforeAll(async () => {
  records = await startMeetingRecords();
  await records.row({ rtmsStreamId: 'alpha', owner: 'task-1' });
  const line = { text: 'hello', userId: 7, timestampMs: START_MS };
  await records.event('alpha', 'transcript', line);
  mcp = await startHttpMcp('--config', records.description);
});
afterAll(async () => {
  mcp.child.kill('SIGTERM');
  await records[Symbol.asyncDispose]();
});

/** The suite cannot send a token, so this puts it into every request, and changes nothing else. */
async function withToken() {
  const { port } = new URL(mcp.url);
  const proxy = createServer((incoming, outgoing) => {
    const own = `127.0.0.1:${proxyPort}`;
    const { host = '' } = incoming.headers;
    const isOwn = host === own || host === `localhost:${proxyPort}`;
    const headers = {
      ...incoming.headers,
      host: isOwn ? `127.0.0.1:${port}` : host,
      authorization: `Bearer ${mcp.token}`,
      ...(incoming.headers.origin?.endsWith(`:${proxyPort}`) && {
        origin: incoming.headers.origin.replace(`:${proxyPort}`, `:${port}`),
      }),
    };
    const { method, url: path } = incoming;
    const forward = request({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    outgoing.on('close', () => forward.destroy());
    forward.on('error', () => outgoing.destroy());
    incoming.pipe(forward);
  });
  const proxyPort = await listen(proxy, 0);
  return { url: `http://localhost:${proxyPort}/mcp`, close: () => closeServer(proxy) };
}

test.each(SCENARIOS)('conformance: %s', { timeout: 60_000 }, async (scenario) => {
  const proxy = await withToken();
  const suite = 'node_modules/@modelcontextprotocol/conformance/dist/index.js';
  const args = [suite, 'server', '--url', proxy.url, '--scenario', scenario];
  const run = await new Promise<{ code: unknown; said: string }>((resolve) =>
    execFile(process.execPath, args, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, said: stdout + stderr }),
    ),
  );
  await proxy.close();
  expect(run.code, run.said).toBe(0);
});
