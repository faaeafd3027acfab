import { Fn, RemovalPolicy, SecretValue, Stack } from 'aws-cdk-lib';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { SYNTHETIC_APP } from '../../shared/zoom/credentials.ts';
import { grantKeyUse } from '../storage/encryption-key.ts';

export interface ZoomSecretProps {
  readonly removalPolicy: RemovalPolicy;
  readonly encryptionKey?: IKey;
  readonly hasSyntheticApp: boolean;
  /** Secrets of the deployer's, used as they are. */
  readonly existing: {
    readonly credentials?: ISecret | undefined;
    readonly tokens?: ISecret | undefined;
  };
}

/**
 * Credentials of the Zoom apps, in two secrets that the deployer fills in. Runners sign handshakes with client ids and
 * secrets. The webhook function faces the internet, so it gets only the tokens that verify webhooks, and nothing that
 * could join a meeting. `shared/zoom/credentials.ts` has the shapes.
 *
 * Both start with a placeholder of that shape, so that the first deployment comes up healthy. The placeholder's token
 * holds the unique id of the stack: nobody can sign a webhook with a token that stands in this file.
 */
export class ZoomSecret extends Construct {
  /** Client ids and secrets, for the runners. */
  readonly credentials: ISecret;
  /** Webhook secret tokens, for the webhook function and for the canary, which signs with them. */
  readonly tokens: ISecret;
  /** Secret of the synthetic meeting's own app. Secrets Manager draws it at random, so nobody fills it in. */
  readonly synthetic: ISecret | undefined;
  readonly #key: IKey | undefined;

  constructor(scope: Construct, id: string, props: ZoomSecretProps) {
    super(scope, id);
    this.#key = props.encryptionKey;
    const stackUuid = Fn.select(2, Fn.split('/', Stack.of(this).stackId));
    const webhookSecretTokens = [`replace-me-${stackUuid}`];
    // Never change the placeholders or these texts: CloudFormation would write a placeholder over real credentials.
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
    this.synthetic = props.hasSyntheticApp ? this.#drawn('Synthetic', props) : undefined;
  }

  /** Ids of the secrets that sign, with a comma between, as the variable ZOOM_SECRET_ID has them. */
  get credentialsId(): string {
    return this.#withSynthetic(this.credentials);
  }

  /** Ids of the secrets that verify, with a comma between, as the variable ZOOM_WEBHOOK_SECRET_ID has them. */
  get tokensId(): string {
    return this.#withSynthetic(this.tokens);
  }

  grantReadCredentials(grantee: IGrantable): void {
    this.#grantRead(grantee, this.credentials);
  }

  grantReadTokens(grantee: IGrantable): void {
    this.#grantRead(grantee, this.tokens);
  }

  /** Does nothing where there is no synthetic meeting. */
  grantReadSynthetic(grantee: IGrantable): void {
    if (this.synthetic !== undefined) this.#grantRead(grantee, this.synthetic);
  }

  #withSynthetic(secret: ISecret): string {
    const { synthetic } = this;
    return synthetic === undefined
      ? secret.secretArn
      : Fn.join(',', [secret.secretArn, synthetic.secretArn]);
  }

  #drawn(id: string, { encryptionKey }: ZoomSecretProps): ISecret {
    const secret = new Secret(this, id, {
      description: 'App of the synthetic meeting, drawn by Secrets Manager: nothing to fill in',
      generateSecretString: {
        secretStringTemplate: '{}',
        generateStringKey: SYNTHETIC_APP,
        excludePunctuation: true,
        passwordLength: 64,
      },
      // Of no use without this stack: the next one draws its own.
      removalPolicy: RemovalPolicy.DESTROY,
      ...(encryptionKey && { encryptionKey }),
    });
    return secret as ISecret;
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
