import { type Duration, Size, Validations } from 'aws-cdk-lib';
import { Grant, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type { Network } from '../runner/network.ts';
import { bundle } from './bundle.ts';

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
  readonly network?: Network | undefined;
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
