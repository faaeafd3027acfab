import { CfnResource } from 'aws-cdk-lib';
import type { Config } from '../config/schema.ts';
import type { RtmsKinesis } from '../rtms-kinesis.ts';

/** A finding of Checkov or cfn-lint that is as it should be. It stands in the metadata of each such resource. */
export interface ExcusedFinding {
  readonly id: string;
  readonly types: readonly string[];
  /** What is found, for docs/deploy.md. */
  readonly what: string;
  readonly reason: string;
  /** Where it is found at all. @default everywhere */
  readonly when?: (config: Config, hasOwnKey: boolean) => boolean;
}

const FUNCTIONS = ['AWS::Lambda::Function'];
const DISTRIBUTIONS = ['AWS::CloudFront::Distribution'];
const BY_AWS_KEY =
  'encrypted with a key of AWS; encryption: customer-managed makes it one of your own';

const withoutKey: ExcusedFinding['when'] = (_config, hasOwnKey) => !hasOwnKey;
const outsideVpc = ({ network }: Config) => !(network.kind === 'private' && network.functions);

/** Of Checkov 3.3 and cfn-lint 1.58 over every stage and every configuration of the tests. */
export const EXCUSED_FINDINGS: readonly ExcusedFinding[] = [
  {
    id: 'CKV_AWS_115',
    types: FUNCTIONS,
    what: 'a function without a limit of concurrency',
    reason:
      'a limit turns deliveries of Zoom away; canary and authorizer are called seldom or before the webhook, and dev reserves none so that a new account can deploy it',
  },
  {
    id: 'CKV_AWS_116',
    types: FUNCTIONS,
    what: 'a function without dead letters',
    reason:
      'called synchronously: Zoom repeats what was answered with 5xx, and a failed canary is its own alarm',
  },
  {
    id: 'CKV_AWS_117',
    types: FUNCTIONS,
    what: 'a function outside of a VPC',
    reason: 'regulated has them inside; elsewhere NAT would be all that they gain',
    when: outsideVpc,
  },
  {
    id: 'CKV_AWS_173',
    types: FUNCTIONS,
    what: "variables under Lambda's own key",
    reason: 'names and numbers; no credential is among them',
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
      'CloudWatch may not publish under the key of AWS; encryption: customer-managed has one that lets it',
    when: withoutKey,
  },
  {
    id: 'CKV_AWS_65',
    types: ['AWS::ECS::Cluster'],
    what: 'a cluster without Container Insights',
    reason: 'a deployment to try things out: our own metrics tell what dashboard and alarms need',
    when: ({ monitoring }) => !monitoring.containerInsights,
  },
  {
    id: 'CKV_AWS_174',
    types: DISTRIBUTIONS,
    what: 'a distribution below TLS 1.2',
    reason:
      'without a domain of its own it has the certificate of CloudFront, and with it no choice',
    when: ({ webhook }) => webhook.domain === undefined,
  },
  {
    id: 'CKV_AWS_86',
    types: DISTRIBUTIONS,
    what: 'a distribution without a log',
    reason: 'every request reaches the API, whose access log has it; WAF counts what it refuses',
  },
  {
    id: 'CKV_AWS_192',
    types: ['AWS::WAFv2::WebACL'],
    what: 'a web ACL without rules against Log4j',
    reason: 'nothing behind it is Java; bodies are verified by signature before they are read',
  },
  {
    id: 'W3005',
    types: [...FUNCTIONS, 'AWS::ECS::Service', 'AWS::ApiGatewayV2::ApiMapping'],
    what: 'dependency stated twice',
    reason: 'by CDK, harmless',
  },
];

/** Writes every excuse where the resource is, in the words that the validators read. */
export function excuseFindings(rtms: RtmsKinesis, hasOwnKey: boolean): void {
  for (const resource of rtms.node.findAll()) {
    if (!CfnResource.isCfnResource(resource)) continue;
    const excused = EXCUSED_FINDINGS.filter(
      ({ types, when }) =>
        types.includes(resource.cfnResourceType) && when?.(rtms.config, hasOwnKey) !== false,
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

/** For docs/deploy.md. */
export function findingsTable(): string {
  const rows = EXCUSED_FINDINGS.map(({ id, what, reason }) => `| ${id}, ${what} | ${reason} |`);
  return ['| finding | why it stays |', '| --- | --- |', ...rows].join('\n');
}
