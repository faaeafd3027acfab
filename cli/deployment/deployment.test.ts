import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findDeployment, required } from './deployment.ts';

const folder = mkdtempSync(join(tmpdir(), 'rtms-deployment-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(content: string): string {
  const path = join(folder, `${crypto.randomUUID()}.json`);
  writeFileSync(path, content);
  return path;
}

describe('findDeployment', () => {
  it('takes flags before a named file before the environment', () => {
    const config = file('{"table": "of file", "queueUrl": "of file", "streams": {"media": "m"}}');
    const environment = { SESSION_TABLE: 'of env', JOB_QUEUE_URL: 'of env', ZOOM_SECRET_ID: 'z' };
    expect(findDeployment({ config, table: 'of flag' }, environment)).toEqual({
      table: 'of flag',
      queueUrl: 'of file',
      mediaStream: 'm',
      secretId: 'z',
    });
  });

  it('reads the ready line of npm start, whatever follows it', () => {
    const ready = '{"ready": true, "table": "t", "endpoints": {"sqs": "http://127.0.0.1:1"}}';
    const local = file(`${ready}\n{"kind": "runner_started"}\n`);
    expect(findDeployment({ local }, {})).toEqual({
      table: 't',
      endpoints: { sqs: 'http://127.0.0.1:1' },
    });
  });

  it.each([
    ['is not JSON', 'nonsense', /is not JSON/],
    ['holds a wrong field', '{"webhookUrl": "no url", "table": 3}', /wrong at table, webhookUrl/],
  ])('refuses a file that %s', (_, content, says) => {
    expect(() => findDeployment({ config: file(content) }, {})).toThrow(says);
  });

  it('refuses two files at once', () => {
    expect(() => findDeployment({ config: 'a', local: 'b' }, {})).toThrow(/not both/);
  });
});

describe('required', () => {
  it('says every way to give a name', () => {
    expect(() => required({}, 'mediaStream')).toThrow(
      /Give --media-stream, set MEDIA_STREAM, or write "streams.media" into rtms.json/,
    );
  });
});
