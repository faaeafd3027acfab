import type { RemovalPolicy } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
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
