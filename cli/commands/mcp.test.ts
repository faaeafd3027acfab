import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { load } from '../mcp/server.ts';
import { createProgram } from '../program.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'rtms-mcp-'));
  const names = { region: 'us-east-1', streams: { media: 'media', events: 'events' } };
  writeFileSync(join(folder, 'whole.json'), JSON.stringify({ ...names, table: 'sessions' }));
  writeFileSync(join(folder, 'tableless.json'), JSON.stringify(names));
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

test.each([
  ['without a table', 'tableless', [], {}, 'session table'],
  ['on a port that is none', 'whole', ['--http', '99999'], {}, 'no port'],
  ['with a meeting that is blank', 'whole', ['--meeting', ' '], {}, '--meeting is empty'],
  ['with a folder that is not there', 'whole', ['--folder', '/no/such'], {}, 'no folder'],
  ['with a moment that is none', 'whole', ['--since', 'soon'], {}, 'no moment'],
  ['with a short token', 'whole', ['--http'], { RTMS_MCP_TOKEN: 'guess-me' }, 'RTMS_MCP_TOKEN'],
] as const)('rtms mcp %s is wrong use', async (_, file, args, environment, why) => {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const errors: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    errors.push(String(text));
    return true;
  });
  const words = ['mcp', ...args, '--config', join(folder, `${file}.json`)];
  await createProgram().parseAsync(words, { from: 'user' });
  const { exitCode } = process;
  process.exitCode = 0;
  expect({ exitCode, said: errors.join('') }).toEqual({
    exitCode: 2,
    said: expect.stringContaining(why),
  });
});

test('an SDK that is not installed is named, with the command that installs it', async () => {
  const name = '@modelcontextprotocol/not-installed';
  await expect(load(name, () => import(name))).rejects.toMatchObject({
    code: 'mcp/sdk-missing',
    message: expect.stringContaining(`npm install ${name}`),
  });
});
