import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { generateSignature } from '../index.ts';

const directory = mkdtempSync(join(tmpdir(), 'sdk-environment-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** What a program prints whose working directory has this `.env`. */
function printed(expression: string, dotEnv: string, env: Record<string, string> = {}): string {
  writeFileSync(join(directory, '.env'), dotEnv);
  const sdk = new URL('../index.ts', import.meta.url).href;
  const program = `import rtms from '${sdk}'; console.log(${expression});`;
  const args = ['--input-type=module', '--eval', program];
  return execFileSync(process.execPath, args, { cwd: directory, env, encoding: 'utf8' }).trim();
}

const SIGN = "rtms.generateSignature({ uuid: 'u', streamId: 's' })";
const signed = (client: string, secret: string) =>
  generateSignature({ client, secret, uuid: 'u', streamId: 's' });

test('variables are read from a .env file', () => {
  const dotEnv = 'ZM_RTMS_CLIENT=id\nZM_RTMS_SECRET="a secret" # of the app\n';
  expect(printed(SIGN, dotEnv)).toBe(signed('id', 'a secret'));
});

test('the environment wins over the .env file, and explicit arguments over both', () => {
  const dotEnv = 'ZM_RTMS_CLIENT=id\nZM_RTMS_SECRET=file\n';
  const env = { ZM_RTMS_SECRET: 'env' };
  expect(printed(SIGN, dotEnv, env)).toBe(signed('id', 'env'));
  const explicit = SIGN.replace('{', "{ client: 'mine', secret: 'own',");
  expect(printed(explicit, dotEnv, env)).toBe(signed('mine', 'own'));
});

test('join without credentials names what is missing', () => {
  const message = SIGN.replace(
    /.*/,
    `(() => { try { $& } catch (error) { return String(error) } })()`,
  );
  expect(printed(message, '')).toBe('ReferenceError: Client ID cannot be blank');
  expect(printed(message, 'ZM_RTMS_CLIENT=id')).toBe(
    'ReferenceError: Client Secret cannot be blank',
  );
});
