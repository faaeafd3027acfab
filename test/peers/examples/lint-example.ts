import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../command.ts';
import type { ProofLine } from '../peer.ts';
import { lintFindings, versionOf } from '../validators/programs.ts';

/** What the constructs of the CDK write themselves, and cfn-lint finds superfluous. */
const OF_THE_CDK: Readonly<Record<string, string>> = {
  W3005: 'a function depends on its role by name and by `DependsOn`',
  W7001: 'the addresses of Firehose, for destinations in a VPC',
};

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const STREAM = 'arn:aws:kinesis:us-east-1:111122223333:stream/rtms-events';

/**
 * Synthesizes a CDK app of docs/examples as its README says, functions bundled, and has cfn-lint judge the template.
 *
 * @param lint the program
 * @param example the folder of the app
 */
export async function lintExample(
  lint: string,
  example: string,
  scratch: string,
): Promise<ProofLine> {
  const out = join(scratch, 'cdk.out');
  const env = {
    CDK_OUTDIR: out,
    CDK_CONTEXT_JSON: JSON.stringify({ eventsStreamArn: STREAM }),
  };
  await runCommand(process.execPath, [join(example, 'app.ts')], { cwd: ROOT, env });
  const templates = (await readdir(out)).filter((name) => name.endsWith('.template.json'));
  assert.equal(templates.length, 1, 'templates');
  const findings = await lintFindings(lint, scratch, 'cdk.out/*.template.json');
  assert.deepEqual(
    findings.filter(({ id }) => OF_THE_CDK[id] === undefined),
    [],
    'cfn-lint',
  );
  const ids = new Set(findings.map(({ id }) => id));
  // Each function is one file that Node can load: what the app says of them would otherwise be seen at their first call.
  const assets = (await readdir(out)).filter((name) => name.startsWith('asset.'));
  for (const asset of assets) {
    const entry = JSON.stringify(join(out, asset, 'index.mjs'));
    const program = `const { handler } = await import(${entry}); if (typeof handler !== 'function') process.exit(1);`;
    await runCommand(process.execPath, ['--input-type=module', '-e', program], { cwd: scratch });
  }
  assert.ok(assets.length > 0, 'bundled functions');
  return {
    software: 'cfn-lint (PyPI)',
    version: await versionOf(lint),
    what: `finds nothing of ours in the template of docs/examples/${example.split('/').at(-2)}`,
    figures: `${findings.length} warnings about what the CDK writes itself (${[...ids].join(', ')}), else nothing; ${assets.length} bundled function loaded`,
  };
}
