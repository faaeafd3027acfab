import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommandLine } from '../aws-cli/command-line.ts';
import { type CommandResult, runCommand } from '../command.ts';
import { type AwsProcess, awsPrograms } from '../emulators.ts';
import { type Template, withoutUnknown } from './template.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const STACK = 'RtmsKinesis-dev';
/** What ministack 1.5.33 refuses as unknown. */
const UNKNOWN_TYPES = [
  'AWS::ApplicationAutoScaling::ScalableTarget',
  'AWS::ApplicationAutoScaling::ScalingPolicy',
  'AWS::CloudWatch::CompositeAlarm',
  'AWS::EC2::FlowLog',
  'AWS::Logs::QueryDefinition',
];

/** A synthesized stack, less what the emulator does not know. */
export interface Assembly {
  readonly folder: string;
  readonly resources: number;
  /** By type, how many there were. */
  readonly leftOut: ReadonlyMap<string, number>;
}

/** An AWS account of an emulator, as the `cdk` and `aws` commands see it. */
export class Account {
  readonly #scratch: string;
  readonly #environment: Readonly<Record<string, string>>;
  #cli: CommandLine | undefined;

  constructor(emulator: AwsProcess, scratch: string) {
    this.#scratch = scratch;
    this.#environment = {
      AWS_ENDPOINT_URL: emulator.url,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_REGION: 'us-east-1',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_PAGER: '',
      // CDK keeps account numbers by access key there, and they would outlive the emulator.
      HOME: scratch,
      CDK_DISABLE_CLI_TELEMETRY: '1',
    };
  }

  /** Synthesizes the stage `dev` with these keys of the configuration changed, and what `change` makes of its template. */
  async synthesize(
    name: string,
    changes: object,
    change: (template: Template) => void = () => {},
  ): Promise<Assembly> {
    const folder = join(this.#scratch, name);
    const args = ['test/peers/cdk-deploy/app.ts', folder, JSON.stringify(changes)];
    await runCommand(process.execPath, args, { cwd: ROOT });
    const path = join(folder, `${STACK}.template.json`);
    const whole = JSON.parse(await readFile(path, 'utf8')) as Template;
    const { template, leftOut } = withoutUnknown(
      whole,
      // It knows alarms of one metric, and no metric math.
      ({ Type, Properties }) =>
        !UNKNOWN_TYPES.includes(Type) &&
        !(Type === 'AWS::CloudWatch::Alarm' && Properties?.['Metrics'] !== undefined),
    );
    change(template);
    await writeFile(path, JSON.stringify(template));
    return { folder, resources: Object.keys(template.Resources).length, leftOut };
  }

  /** @returns the exit code too: a deployment may be meant to fail */
  cdk(args: readonly string[]): Promise<CommandResult> {
    const cdk = join(ROOT, 'node_modules/aws-cdk/bin/cdk');
    return runCommand(process.execPath, [cdk, ...args, '--ci'], {
      // Beside cdk.json, whose app would be taken where none is named.
      cwd: this.#scratch,
      env: this.#environment,
      codes: [0, 1],
    });
  }

  deploy({ folder }: Assembly): Promise<CommandResult> {
    return this.cdk(['deploy', STACK, '--app', folder, '--require-approval', 'never']);
  }

  destroy({ folder }: Assembly): Promise<CommandResult> {
    return this.cdk(['destroy', STACK, '--app', folder, '--force']);
  }

  /** One command of the AWS CLI. @returns its JSON, undefined where it prints nothing */
  async aws(...args: readonly string[]): Promise<unknown> {
    this.#cli ??= new CommandLine(join(await awsPrograms(), 'python'), this.#environment);
    // It does not take the variable for SQS.
    return this.#cli.call(this.#environment['AWS_ENDPOINT_URL'] ?? '', ...args);
  }

  /** Ends the AWS CLI. */
  async close(): Promise<void> {
    await this.#cli?.close();
  }

  async status(): Promise<string> {
    const query = ['--query', 'Stacks[0].StackStatus'];
    return String(
      await this.aws('cloudformation', 'describe-stacks', '--stack-name', STACK, ...query),
    );
  }

  /** The outputs of the stack, by name. */
  async outputs(): Promise<Readonly<Record<string, string>>> {
    const query = ['--query', 'Stacks[0].Outputs[].[OutputKey,OutputValue]'];
    const pairs = await this.aws(
      'cloudformation',
      'describe-stacks',
      '--stack-name',
      STACK,
      ...query,
    );
    return Object.fromEntries(pairs as [string, string][]);
  }
}
