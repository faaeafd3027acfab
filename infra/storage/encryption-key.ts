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

/** Creates the stack's own key. Only AWS services may create grants of it, because a grant outlives every policy. */
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
 * Lets CloudWatch Logs encrypt this account's log groups with the key. Without this a log group that names the key cannot
 * be created, and the first deployment fails. The policy of an imported key stays as it is: docs/deploy.md.
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
      // Unlike other services, this one's principal has Region and partition in its name.
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
 * Actions that each use of a key needs. CDK's own grants would allow the wildcards `kms:GenerateDataKey*` and
 * `kms:ReEncrypt*`. DynamoDB's documentation asks for the list `table` from every user of a table.
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

/** Grants the use of the key that a resource is encrypted with; does nothing where it has no key of ours. */
export function grantKeyUse(
  key: IKey | undefined,
  grantee: IGrantable,
  use: keyof typeof KEY_ACTIONS,
): void {
  key?.grant(grantee, ...KEY_ACTIONS[use]);
}
