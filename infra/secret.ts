import { Fn, type RemovalPolicy, SecretValue, Stack } from 'aws-cdk-lib';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { grantKeyUse } from './encryption-key.ts';

export interface ZoomSecretProps {
  readonly removalPolicy: RemovalPolicy;
  readonly encryptionKey?: IKey;
}

/**
 * Credentials of the Zoom apps, filled in by the deployer; shape in `shared/zoom/credentials.ts`.
 *
 * It starts with a placeholder of that shape, so that the first deployment comes up healthy. The
 * placeholder's webhook token holds the stack's own unique id: nobody can sign a webhook with a token
 * known from this file.
 */
export class ZoomSecret extends Construct {
  readonly secret: Secret;
  readonly #key: IKey | undefined;

  constructor(scope: Construct, id: string, { removalPolicy, encryptionKey }: ZoomSecretProps) {
    super(scope, id);
    this.#key = encryptionKey;
    const stack = Stack.of(this);
    const stackUuid = Fn.select(2, Fn.split('/', stack.stackId));
    // Never change this text: CloudFormation would write the new placeholder over the real credentials.
    const placeholder = stack.toJsonString({
      apps: {
        default: {
          clientId: 'replace-me',
          clientSecret: 'replace-me',
          webhookSecretTokens: [`replace-me-${stackUuid}`],
        },
      },
    });
    this.secret = new Secret(this, 'Secret', {
      description: 'Zoom app credentials for RTMS; shape in docs/deploy.md',
      secretStringValue: SecretValue.unsafePlainText(placeholder),
      removalPolicy,
      ...(encryptionKey && { encryptionKey }),
    });
  }

  grantRead(grantee: IGrantable): void {
    Grant.addToPrincipal({
      grantee,
      actions: ['secretsmanager:GetSecretValue'],
      resourceArns: [this.secret.secretArn],
    });
    grantKeyUse(this.#key, grantee, 'read');
  }
}
