import { Fn, type RemovalPolicy, SecretValue, Stack } from 'aws-cdk-lib';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { grantKeyUse } from './encryption-key.ts';

export interface ZoomSecretProps {
  readonly removalPolicy: RemovalPolicy;
  readonly encryptionKey?: IKey;
  /** Secrets of the deployer's, taken as they are. */
  readonly existing: {
    readonly credentials?: ISecret | undefined;
    readonly tokens?: ISecret | undefined;
  };
}

/**
 * What the Zoom apps are known by, filled in by the deployer, in two secrets: the runners sign handshakes
 * with client secrets; the webhook function, which faces the internet, gets the tokens that verify and
 * nothing that could join a meeting. Shapes in `shared/zoom/credentials.ts`.
 *
 * Both start with a placeholder of that shape, so that the first deployment comes up healthy. The
 * placeholder's token holds the stack's own unique id: nobody can sign a webhook with a token known from
 * this file.
 */
export class ZoomSecret extends Construct {
  /** Client ids and secrets, for the runners. */
  readonly credentials: ISecret;
  /** Webhook secret tokens, for the webhook function and what plays Zoom against it. */
  readonly tokens: ISecret;
  readonly #key: IKey | undefined;

  constructor(scope: Construct, id: string, props: ZoomSecretProps) {
    super(scope, id);
    this.#key = props.encryptionKey;
    const stackUuid = Fn.select(2, Fn.split('/', Stack.of(this).stackId));
    const webhookSecretTokens = [`replace-me-${stackUuid}`];
    // Never change these texts: CloudFormation would write the new placeholder over the real credentials.
    this.credentials =
      props.existing.credentials ??
      this.#secret('Secret', props, {
        description: 'Zoom app credentials for RTMS; shape in docs/deploy.md',
        app: { clientId: 'replace-me', clientSecret: 'replace-me', webhookSecretTokens },
      });
    this.tokens =
      props.existing.tokens ??
      this.#secret('WebhookTokens', props, {
        description: 'Zoom webhook secret tokens; shape in docs/deploy.md',
        app: { webhookSecretTokens },
      });
  }

  grantReadCredentials(grantee: IGrantable): void {
    this.#grantRead(grantee, this.credentials);
  }

  grantReadTokens(grantee: IGrantable): void {
    this.#grantRead(grantee, this.tokens);
  }

  #secret(
    id: string,
    { removalPolicy, encryptionKey }: ZoomSecretProps,
    { description, app }: { readonly description: string; readonly app: object },
  ): ISecret {
    const placeholder = Stack.of(this).toJsonString({ apps: { default: app } });
    const secret = new Secret(this, id, {
      description,
      secretStringValue: SecretValue.unsafePlainText(placeholder),
      removalPolicy,
      ...(encryptionKey && { encryptionKey }),
    });
    return secret as ISecret;
  }

  #grantRead(grantee: IGrantable, secret: ISecret): void {
    Grant.addToPrincipal({
      grantee,
      actions: ['secretsmanager:GetSecretValue'],
      resourceArns: [secret.secretArn],
    });
    grantKeyUse(secret.encryptionKey ?? this.#key, grantee, 'read');
  }
}
