import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { findDeployment, required } from './deployment.ts';

const folder = mkdtempSync(join(tmpdir(), 'rtms-deployment-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(content: string): string {
  const path = join(folder, `${crypto.randomUUID()}.json`);
  writeFileSync(path, content);
  return path;
}

test('a flag wins over a named file, and the file over the environment', () => {
  const config = file('{"table": "of file", "queueUrl": "of file", "streams": {"media": "m"}}');
  const environment = { SESSION_TABLE: 'of env', JOB_QUEUE_URL: 'of env', ZOOM_SECRET_ID: 'z' };
  expect(findDeployment({ config, table: 'of flag' }, environment)).toEqual({
    table: 'of flag',
    queueUrl: 'of file',
    mediaStream: 'm',
    secretId: 'z',
  });
});

test('the ready line of npm start is a description file, whatever follows it', () => {
  const ready = '{"ready": true, "table": "t", "endpoints": {"sqs": "http://127.0.0.1:1"}}';
  const local = file(`${ready}\n{"kind": "runner_started"}\n`);
  expect(findDeployment({ local }, {})).toEqual({
    table: 't',
    endpoints: { sqs: 'http://127.0.0.1:1' },
  });
});

test.each([
  ['is not JSON', 'nonsense', /is not JSON/],
  ['holds a wrong field', '{"webhookUrl": "no url", "table": 3}', /wrong at table, webhookUrl/],
])('a description file that %s is refused', (_, content, says) => {
  expect(() => findDeployment({ config: file(content) }, {})).toThrow(says);
});

test('--config and --local together are refused', () => {
  expect(() => findDeployment({ config: 'a', local: 'b' }, {})).toThrow(/not both/);
});

test('the error about a missing name has every way to give it', () => {
  expect(() => required({}, 'mediaStream')).toThrow(
    /Give --media-stream, set MEDIA_STREAM, or write "streams.media" into rtms.json/,
  );
});
