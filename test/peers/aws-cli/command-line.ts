import { join } from 'node:path';
import { runCommand } from '../command.ts';
import { debianFiles, pythonPrograms } from '../installs.ts';
import { LOCAL_AWS } from '../local-aws-environment.ts';

/** What Debian's package of the AWS CLI 2 depends on, within the bounds that it names; Debian's own would need root. */
const DEPENDENCIES = [
  'awscrt==0.16.26',
  'colorama==0.4.6',
  'cryptography==38.0.4',
  'distro==1.5.0',
  'docutils==0.19',
  'jmespath==1.0.1',
  'prompt-toolkit==3.0.28',
  'python-dateutil==2.9.0.post0',
  'ruamel.yaml==0.17.21',
  'urllib3==1.26.20',
] as const;

/** AWS's command line, version 2. */
export class CommandLine {
  readonly #python: string;
  readonly #env: Readonly<Record<string, string | undefined>>;

  private constructor(python: string, modules: string) {
    this.#python = python;
    this.#env = { ...LOCAL_AWS, PYTHONPATH: modules, AWS_PAGER: '' };
  }

  static async install(): Promise<CommandLine> {
    const programs = await pythonPrograms('aws-cli', DEPENDENCIES);
    const files = await debianFiles('awscli');
    return new CommandLine(join(programs, 'python'), join(files, 'usr/lib/python3/dist-packages'));
  }

  async version(): Promise<string> {
    const { stdout } = await this.#run(['--version']);
    return /aws-cli\/(\S+)/.exec(stdout)?.[1] ?? 'unknown';
  }

  /** Calls an operation of a service. @returns what it answered, parsed; `{}` for nothing */
  // biome-ignore lint/suspicious/noExplicitAny: every operation answers in its own shape
  async call(endpoint: string, ...args: readonly string[]): Promise<any> {
    const { stdout } = await this.#run([...args, '--endpoint-url', endpoint, '--output', 'json']);
    return JSON.parse(stdout === '' ? '{}' : stdout);
  }

  #run(args: readonly string[]) {
    return runCommand(this.#python, ['-m', 'awscli', ...args], { env: this.#env });
  }
}
