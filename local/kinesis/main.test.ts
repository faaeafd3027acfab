import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ListStreamsCommand } from '@aws-sdk/client-kinesis';
import { expect, test } from 'vitest';
import { connect } from '../../test/support/kinesis-client.ts';

function start(...args: string[]) {
  const main = fileURLToPath(new URL('main.ts', import.meta.url));
  return spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

test('the Kinesis process prints its address, serves, refuses a taken port, and ends on SIGTERM', async () => {
  const child = start();
  const [line] = await once(child.stdout, 'data');
  const { url, port, pid } = JSON.parse(String(line));
  expect(pid).toBe(child.pid);
  const client = connect(url);
  expect((await client.send(new ListStreamsCommand({}))).StreamNames).toEqual([]);

  const second = start('--port', String(port));
  const complaint: string[] = [];
  second.stderr.on('data', (chunk) => complaint.push(String(chunk)));
  expect(await once(second, 'close')).toEqual([1, null]);
  expect(complaint.join('')).toBe(`[local/port-in-use] port ${port} cannot be listened on\n`);

  child.kill('SIGTERM');
  expect(await once(child, 'close')).toEqual([0, null]);
  client.destroy();
}, 90_000);
