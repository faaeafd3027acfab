import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Duration, Size, Stack, Stage, Validations } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { Grant, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct, IConstruct } from 'constructs';
import { buildSync } from 'esbuild';
import { bundleOptions } from './bundle-options.ts';

/**
 * Bundles one entry file, AWS SDK included, into a directory of its own inside the cloud assembly; its contents become an
 * asset. esbuild runs in this process, so this needs no Docker and no network.
 *
 * @param entry path from the repository's root
 * @param place another bundle's directory, and a file name of this bundle's own in it
 * @returns the directory. The module in it is empty when the context excludes this stack from bundling
 *   (`aws:cdk:bundling-stacks`, set by `cdk list` and by tests)
 * @throws Error when the construct is in no App
 */
export function bundle(
  scope: IConstruct,
  entry: string,
  runsOn: 'lambda' | 'fargate',
  place: { readonly directory?: string; readonly file?: string } = {},
): string {
  const assembly = Stage.of(scope)?.outdir;
  if (assembly === undefined) throw new Error('a bundle needs a construct inside an App');
  const ownDirectory = entry.replaceAll('/', '-').replace(/\.ts$/, '');
  const { directory = join(assembly, 'bundles', ownDirectory), file = 'index.mjs' } = place;
  const outfile = join(directory, file);
  mkdirSync(directory, { recursive: true });
  if (!Stack.of(scope).bundlingRequired) {
    writeFileSync(outfile, '');
    return directory;
  }
  buildSync({ ...bundleOptions(entry, runsOn), outfile });
  return directory;
}

export interface NodeFunctionProps {
  /** Path from the repository's root of the file that exports `handler`. */
  readonly entry: string;
  readonly description: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly logGroup: ILogGroup;
  readonly timeout: Duration;
  /** @default 1024: Lambda gives CPU in proportion, and with less a cold start would come close to Zoom's three seconds */
  readonly memoryMiB?: number;
  /** Room in `/tmp`, MiB. @default 512, what Lambda gives everybody */
  readonly tmpMiB?: number;
  /** Where the function gets its network interfaces. Unset: outside of any VPC. */
  readonly network?:
    | {
        readonly vpc: IVpc;
        readonly subnets: SubnetSelection;
        readonly securityGroup: ISecurityGroup;
      }
    | undefined;
  /** Unset: the function shares what the account has. */
  readonly reservedConcurrentExecutions?: number | undefined;
}

/** Creates a Lambda function from a bundle. Its role may write its own log; grants add what else it needs. */
export function createNodeFunction(
  scope: Construct,
  id: string,
  props: NodeFunctionProps,
): LambdaFunction {
  const role = new Role(scope, `${id}Role`, {
    assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
    description: props.description,
  });
  props.logGroup.grant(role, 'logs:CreateLogStream', 'logs:PutLogEvents');
  if (props.network !== undefined) grantNetworkInterfaces(role);
  return new LambdaFunction(scope, id, {
    description: props.description,
    code: Code.fromAsset(bundle(scope, props.entry, 'lambda')),
    handler: 'index.handler',
    runtime: Runtime.NODEJS_24_X,
    architecture: Architecture.ARM_64,
    memorySize: props.memoryMiB ?? 1024,
    timeout: props.timeout,
    ...(props.tmpMiB !== undefined && { ephemeralStorageSize: Size.mebibytes(props.tmpMiB) }),
    ...(props.reservedConcurrentExecutions !== undefined && {
      reservedConcurrentExecutions: props.reservedConcurrentExecutions,
    }),
    role,
    logGroup: props.logGroup,
    environment: { ...props.environment },
    ...(props.network && {
      vpc: props.network.vpc,
      vpcSubnets: props.network.subnets,
      securityGroups: [props.network.securityGroup],
    }),
  });
}

/** Lambda creates a function's network interfaces with the function's own role. */
function grantNetworkInterfaces(grantee: Role): void {
  Grant.addToPrincipal({
    grantee,
    actions: [
      'ec2:CreateNetworkInterface',
      'ec2:DescribeNetworkInterfaces',
      'ec2:DeleteNetworkInterface',
      'ec2:AssignPrivateIpAddresses',
      'ec2:UnassignPrivateIpAddresses',
    ],
    resourceArns: ['*'],
  });
  Validations.of(grantee).acknowledge({
    id: 'AwsSolutions-IAM5[Resource::*]',
    reason: 'EC2 takes no resource for the network interfaces that Lambda makes with this role.',
  });
}
