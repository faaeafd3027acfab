import { Annotations } from 'aws-cdk-lib';
import {
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  InterfaceVpcEndpointAwsService,
  IpAddresses,
  type ISecurityGroup,
  type IVpc,
  Port,
  SecurityGroup,
  type SubnetSelection,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Config } from '../config/schema.ts';
import { MAX_ZONES } from '../config/sections/network.ts';

export interface NetworkProps {
  readonly network: Config['network'];
  /** A VPC of the deployer's; `network` is then ignored. */
  readonly vpc?: IVpc | undefined;
  readonly vpcSubnets?: SubnetSelection | undefined;
  /** Called for a VPC of our own, which logs the connections that its rules refuse. */
  readonly createFlowLog: () => ILogGroup;
}

/**
 * Where the runners run. They only call out, so no rule lets anything in.
 *
 * `public` is the default because NAT gateways charge for every gigabyte, and all media passes them: docs/deploy.md
 * compares what the same meetings cost with public addresses and behind NAT.
 */
export class Network extends Construct {
  readonly vpc: IVpc;
  readonly subnets: SubnetSelection;
  readonly securityGroup: ISecurityGroup;
  readonly assignPublicIp: boolean;

  constructor(scope: Construct, id: string, props: NetworkProps) {
    super(scope, id);
    const { network, createFlowLog } = props;
    this.assignPublicIp = isPublic(props);
    if (props.vpc !== undefined) {
      this.vpc = props.vpc;
      this.subnets = props.vpcSubnets ?? {
        subnetType: this.assignPublicIp ? SubnetType.PUBLIC : SubnetType.PRIVATE_WITH_EGRESS,
      };
    } else if (network.kind === 'existing') {
      this.vpc = Vpc.fromVpcAttributes(this, 'Vpc', {
        vpcId: network.vpcId,
        availabilityZones: [...network.availabilityZones],
        privateSubnetIds: [...network.subnetIds],
      });
      this.subnets = { subnetType: SubnetType.PRIVATE_WITH_EGRESS };
      Annotations.of(this.vpc).acknowledgeWarning(
        '@aws-cdk/aws-ec2:noSubnetRouteTableId',
        'No routes are added to subnets of the deployer.',
      );
    } else {
      // Under exactOptionalPropertyTypes CDK's classes do not satisfy its own interfaces.
      this.vpc = this.#createVpc(network, createFlowLog()) as IVpc;
      const subnetType =
        network.kind === 'public' ? SubnetType.PUBLIC : SubnetType.PRIVATE_WITH_EGRESS;
      this.subnets = { subnetType };
    }
    this.securityGroup = new SecurityGroup(this, 'RunnerSecurityGroup', {
      vpc: this.vpc,
      description: 'RTMS runners: out to Zoom and AWS on any port that Zoom names, nothing in',
      allowAllOutbound: true,
    });
    if (network.kind === 'private' && props.vpc === undefined) this.#addKinesisEndpoint();
  }

  #createVpc(network: Exclude<Config['network'], { kind: 'existing' }>, flowLog: ILogGroup): Vpc {
    const isPrivate = network.kind === 'private';
    const vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr('10.80.0.0/16'),
      maxAzs: MAX_ZONES,
      natGateways: isPrivate ? network.natGateways : 0,
      // Emptying the default security group would take a custom resource with rights over security groups. Nothing
      // of ours is ever in that group.
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [
        { name: 'Public', subnetType: SubnetType.PUBLIC, mapPublicIpOnLaunch: false, cidrMask: 20 },
        ...(isPrivate
          ? [{ name: 'Runners', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 20 }]
          : []),
      ],
      gatewayEndpoints: {
        S3: { service: GatewayVpcEndpointAwsService.S3 },
        DynamoDb: { service: GatewayVpcEndpointAwsService.DYNAMODB },
      },
      flowLogs: {
        Refused: {
          destination: FlowLogDestination.toCloudWatchLogs(flowLog),
          trafficType: FlowLogTrafficType.REJECT,
        },
      },
    });
    return vpc;
  }

  /** Takes the writes to Kinesis, our largest traffic, past NAT: an endpoint costs a quarter for each gigabyte. */
  #addKinesisEndpoint(): void {
    const securityGroup = new SecurityGroup(this, 'KinesisSecurityGroup', {
      vpc: this.vpc,
      description: 'Kinesis endpoint: HTTPS from the runners',
      allowAllOutbound: false,
    });
    securityGroup.addIngressRule(this.securityGroup, Port.HTTPS, 'RTMS runners');
    this.vpc.addInterfaceEndpoint('Kinesis', {
      service: InterfaceVpcEndpointAwsService.KINESIS_STREAMS,
      securityGroups: [securityGroup],
      open: false,
    });
  }
}

/** Whether the runners need public addresses to reach the internet. */
function isPublic({ network, vpc, vpcSubnets }: NetworkProps): boolean {
  if (vpc === undefined) return network.kind === 'public';
  if (vpcSubnets?.subnetType !== undefined) return vpcSubnets.subnetType === SubnetType.PUBLIC;
  return vpcSubnets === undefined && vpc.privateSubnets.length === 0;
}
