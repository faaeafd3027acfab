import { Aws, CfnMapping, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

/** Where each partition's console is; a link to the wrong one asks for a login that does not exist. */
const CONSOLE_DOMAINS = {
  aws: 'console.aws.amazon.com',
  'aws-cn': 'console.amazonaws.cn',
  'aws-us-gov': 'console.amazonaws-us-gov.com',
} as const;

/** Address of a CloudWatch dashboard of this stack's Region, in whichever partition that is. */
export function dashboardUrl(scope: Construct, name: string): string {
  const { region } = Stack.of(scope);
  const mapping = new CfnMapping(scope, 'Console', {
    mapping: Object.fromEntries(
      Object.entries(CONSOLE_DOMAINS).map(([partition, domain]) => [partition, { domain }]),
    ),
  });
  const domain = mapping.findInMap(Aws.PARTITION, 'domain');
  return `https://${region}.${domain}/cloudwatch/home?region=${region}#dashboards/dashboard/${name}`;
}
