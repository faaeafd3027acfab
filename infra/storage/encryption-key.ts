import { type RemovalPolicy, Stack } from 'aws-cdk-lib';
import {
  AnyPrincipal,
  Effect,
  type IGrantable,
  PolicyStatement,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';

/** The stack's own key. Only AWS services may hand its use on: a grant by anybody else outlives every policy. */
export function createKey(scope: Construct, id: string, removalPolicy: RemovalPolicy): IKey {
  const key = new Key(scope, id, {
    description: 'RTMS sessions, jobs, records, credentials, alarms and logs',
    enableKeyRotation: true,
    removalPolicy,
  });
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'GrantsForServicesOnly',
      effect: Effect.DENY,
      principals: [new AnyPrincipal()],
      actions: ['kms:CreateGrant'],
      resources: ['*'],
      conditions: {
        BoolIfExists: {
          'kms:GrantIsForAWSResource': 'false',
          'aws:PrincipalIsAWSService': 'false',
        },
      },
    }),
  );
  return key as IKey;
}

/**
 * Lets CloudWatch Logs keep this account's log groups under the key. A log group that names a key which does not let it in
 * is refused when it is made, and the first deployment fails. Of an imported key the policy stays as it is: docs/deploy.md.
 *
 * @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html (read 2026-11-27)
 */
export function allowLogs(scope: Construct, key: IKey): void {
  const { region, urlSuffix } = Stack.of(scope);
  const logGroups = Stack.of(scope).formatArn({ service: 'logs', resource: '*' });
  key.addToResourcePolicy(
    new PolicyStatement({
      sid: 'LogGroups',
      effect: Effect.ALLOW,
      // The one principal that has the Region and the partition in its name.
      principals: [new ServicePrincipal(`logs.${region}.${urlSuffix}`)],
      actions: [
        'kms:Decrypt',
        'kms:DescribeKey',
        'kms:Encrypt',
        'kms:GenerateDataKey',
        'kms:GenerateDataKeyWithoutPlaintext',
        'kms:ReEncryptFrom',
        'kms:ReEncryptTo',
      ],
      resources: ['*'],
      conditions: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': logGroups } },
    }),
  );
}

/**
 * What each use of a key takes. CDK's own grants would add the families `kms:GenerateDataKey*` and
 * `kms:ReEncrypt*`. DynamoDB's list is the one its documentation asks of every user of a table.
 *
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
 */
const KEY_ACTIONS = {
  read: ['kms:Decrypt'],
  write: ['kms:Decrypt', 'kms:GenerateDataKey'],
  table: [
    'kms:Decrypt',
    'kms:DescribeKey',
    'kms:Encrypt',
    'kms:GenerateDataKey',
    'kms:ReEncryptFrom',
    'kms:ReEncryptTo',
  ],
} as const;

/** The key's part of a grant; nothing where the resource has no key of ours. */
export function grantKeyUse(
  key: IKey | undefined,
  grantee: IGrantable,
  use: keyof typeof KEY_ACTIONS,
): void {
  key?.grant(grantee, ...KEY_ACTIONS[use]);
}
