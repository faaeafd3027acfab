import { CfnResource } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import type { Config } from '../config/schema.ts';

/** A finding of Checkov or cfn-lint that is meant to be so. The metadata of each such resource says why. */
export interface ExcusedFinding {
  readonly id: string;
  readonly types: readonly string[];
  /** What the validator found, for docs/deploy.md. */
  readonly what: string;
  readonly reason: string;
  /** Whether a configuration has the finding at all. @default always */
  readonly when?: (config: Config, hasOwnKey: boolean) => boolean;
}

const FUNCTIONS = ['AWS::Lambda::Function'];
const DISTRIBUTIONS = ['AWS::CloudFront::Distribution'];
const BY_AWS_KEY =
  'encrypted with a key of AWS; with encryption: customer-managed it is a key of your own';

const withoutKey: ExcusedFinding['when'] = (_config, hasOwnKey) => !hasOwnKey;
const outsideVpc = ({ network }: Config) => !(network.kind === 'private' && network.functions);

/** What Checkov 3.3 and cfn-lint 1.58 find in all configurations of the tests, all stages included. */
export const EXCUSED_FINDINGS: readonly ExcusedFinding[] = [
  {
    id: 'CKV_AWS_115',
    types: FUNCTIONS,
    what: 'a function without a limit of concurrency',
    reason:
      'a limit would refuse deliveries of Zoom, and a new account, in which dev must deploy, cannot reserve concurrency',
  },
  {
    id: 'CKV_AWS_116',
    types: FUNCTIONS,
    what: 'a function without dead letters',
    reason:
      'calls are synchronous: Zoom repeats what was answered with 5xx, a failed canary raises an alarm, and the queue of the catcher has dead letters',
  },
  {
    id: 'CKV_AWS_117',
    types: FUNCTIONS,
    what: 'a function outside of a VPC',
    reason: 'regulated has them inside; elsewhere a VPC would only add NAT',
    when: outsideVpc,
  },
  {
    id: 'CKV_AWS_173',
    types: FUNCTIONS,
    what: "variables under Lambda's own key",
    reason: 'the variables are names and numbers, without any credential',
  },
  {
    id: 'CKV_AWS_111',
    types: ['AWS::IAM::Policy'],
    what: 'network interfaces written without a condition',
    reason: 'EC2 takes no resource for the network interfaces that Lambda makes in a VPC',
    when: (config) => !outsideVpc(config),
  },
  {
    id: 'CKV_AWS_119',
    types: ['AWS::DynamoDB::Table'],
    what: 'the table without a key of your own',
    reason: BY_AWS_KEY,
    when: withoutKey,
  },
  {
    id: 'CKV_AWS_27',
    types: ['AWS::SQS::Queue'],
    what: 'queues without a key of your own',
    reason: BY_AWS_KEY,
    when: withoutKey,
  },
  {
    id: 'CKV_AWS_149',
    types: ['AWS::SecretsManager::Secret'],
    what: 'secrets without a key of your own',
    reason: BY_AWS_KEY,
    when: withoutKey,
  },
  {
    id: 'CKV_AWS_158',
    types: ['AWS::Logs::LogGroup'],
    what: 'logs without a key of your own',
    reason: BY_AWS_KEY,
    when: withoutKey,
  },
  {
    id: 'CKV_AWS_26',
    types: ['AWS::SNS::Topic'],
    what: 'topics without a key of your own',
    reason:
      'CloudWatch may not use the key of AWS; with encryption: customer-managed the topic has a key that lets it',
    when: withoutKey,
  },
  {
    id: 'CKV_AWS_65',
    types: ['AWS::ECS::Cluster'],
    what: 'a cluster without Container Insights',
    reason: 'the configuration switches them off; dashboard and alarms use our own metrics',
    when: ({ monitoring }) => !monitoring.containerInsights,
  },
  {
    id: 'CKV_AWS_174',
    types: DISTRIBUTIONS,
    what: 'a distribution below TLS 1.2',
    reason:
      'without a domain of its own it uses the certificate of CloudFront, which fixes the TLS version',
    when: ({ webhook }) => webhook.domain === undefined,
  },
  {
    id: 'CKV_AWS_86',
    types: DISTRIBUTIONS,
    what: 'a distribution without a log',
    reason:
      'the access log of the API has every request that passes; WAF counts those that it refuses',
  },
  {
    id: 'CKV_AWS_192',
    types: ['AWS::WAFv2::WebACL'],
    what: 'a web ACL without rules against Log4j',
    reason: 'nothing behind it is Java, and no body is parsed before its signature is verified',
  },
  {
    id: 'CKV_AWS_18',
    types: ['AWS::S3::Bucket'],
    what: 'a bucket without access logs',
    reason:
      'it is the bucket into which the accesses to recordings are logged; a log of the log has no end',
    when: ({ records }) => records.archive !== undefined,
  },
  {
    id: 'W3005',
    types: [...FUNCTIONS, 'AWS::ECS::Service', 'AWS::ApiGatewayV2::ApiMapping'],
    what: 'a dependency that is stated twice',
    reason: 'CDK writes it so; it does no harm',
  },
];

/** Writes the reasons into the metadata of each resource, in the form that Checkov and cfn-lint read. */
export function excuseFindings(scope: IConstruct, config: Config, hasOwnKey: boolean): void {
  for (const resource of scope.node.findAll()) {
    if (!CfnResource.isCfnResource(resource)) continue;
    const excused = EXCUSED_FINDINGS.filter(
      ({ types, when }) =>
        types.includes(resource.cfnResourceType) && when?.(config, hasOwnKey) !== false,
    );
    const isOfCheckov = ({ id }: ExcusedFinding) => id.startsWith('CKV');
    const skip = excused.filter(isOfCheckov).map(({ id, reason }) => ({ id, comment: reason }));
    const ignored = excused.filter((one) => !isOfCheckov(one)).map(({ id }) => id);
    if (skip.length > 0) resource.addMetadata('checkov', { skip });
    if (ignored.length > 0) {
      resource.addMetadata('cfn-lint', { config: { ignore_checks: ignored } });
    }
  }
}

/** The findings as a Markdown table, for docs/deploy.md. */
export function findingsTable(): string {
  const rows = EXCUSED_FINDINGS.map(({ id, what, reason }) => `| ${id}, ${what} | ${reason} |`);
  return ['| finding | why it stays |', '| --- | --- |', ...rows].join('\n');
}
