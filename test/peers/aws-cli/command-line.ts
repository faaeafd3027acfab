import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { startCommand } from '../command.ts';
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
const COMMANDS = fileURLToPath(new URL('./commands.py', import.meta.url));

type Environment = Readonly<Record<string, string | undefined>>;

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** AWS's command line: one process of Python that runs its commands one after another, until {@link close}. */
export class CommandLine {
  readonly #child: ReturnType<typeof startCommand>;
  readonly #lines: AsyncIterator<string>;
  #said = '';

  /** @param python the program of a Python that has the package `awscli` */
  constructor(python: string, env: Environment) {
    this.#child = startCommand(python, [COMMANDS], { env: { ...env, AWS_PAGER: '' } });
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
    this.#child.stderr.on('data', (text) => {
      this.#said = `${this.#said}${text}`.slice(-2_000);
    });
  }

  /** Starts version 2, which PyPI does not have. */
  static async two(): Promise<CommandLine> {
    const { python, modules } = await installCommandLine();
    return new CommandLine(python, { ...LOCAL_AWS, PYTHONPATH: modules });
  }

  async version(): Promise<string> {
    const { stdout } = await this.#run(['--version']);
    return /aws-cli\/(\S+)/.exec(stdout)?.[1] ?? 'unknown';
  }

  /** Calls an operation of a service. @returns what it answered, parsed; undefined for nothing */
  // biome-ignore lint/suspicious/noExplicitAny: every operation answers in its own shape
  async call(endpoint: string, ...args: readonly string[]): Promise<any> {
    const { stdout } = await this.#run([...args, '--endpoint-url', endpoint, '--output', 'json']);
    return stdout.trim() === '' ? undefined : JSON.parse(stdout);
  }

  async close(): Promise<void> {
    this.#child.stdin.end();
    if (this.#child.exitCode === null) await once(this.#child, 'close');
  }

  /** @throws Error with what the command said when its exit code is not 0 */
  async #run(args: readonly string[]): Promise<Answer> {
    this.#child.stdin.write(`${JSON.stringify(args)}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`the AWS CLI has ended: ${this.#said}`);
    const answer = JSON.parse(value) as Answer;
    if (answer.code === 0) return answer;
    throw new Error(`aws ${args.join(' ')}: exit code ${answer.code}\n${answer.stderr}`);
  }
}

export async function installCommandLine(): Promise<{ python: string; modules: string }> {
  const programs = await pythonPrograms('aws-cli', DEPENDENCIES);
  const files = await debianFiles('awscli');
  const modules = join(files, 'usr/lib/python3/dist-packages');
  return { python: join(programs, 'python'), modules };
}
