import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';

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
