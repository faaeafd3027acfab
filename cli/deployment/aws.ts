import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { SNSClient } from '@aws-sdk/client-sns';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { httpHandlerOptions } from '../../shared/aws-calls.ts';
import { ServiceError } from '../../shared/errors.ts';
import { ROW_TRANSLATION } from '../../shared/session-table/parse-row.ts';
import type { Deployment } from './deployment.ts';

/** A person waits for the command, and wants to know soon that a service cannot be reached. */
const TIMEOUTS = { connectMs: 3_000, answerMs: 15_000 };
const MAX_ATTEMPTS = 3;

/** The local servers accept any credentials. Real keys are not sent to them. */
const LOCAL = { credentials: { accessKeyId: 'local', secretAccessKey: 'local' } };

/** The AWS clients of one command. Each is made when it is first used. */
export class AwsClients {
  readonly #deployment: Deployment;
  readonly #made = new Map<string, { destroy(): void }>();

  constructor(deployment: Deployment) {
    this.#deployment = deployment;
  }

  get kinesis(): KinesisClient {
    return this.#client('kinesis', KinesisClient);
  }

  /** Speaks HTTP/2, as the SDK does by itself: SubscribeToShard needs it. */
  get pushedKinesis(): KinesisClient {
    const { region, profile, endpoints } = this.#deployment;
    const endpoint = endpoints?.kinesis;
    const client = new KinesisClient({
      maxAttempts: MAX_ATTEMPTS,
      ...(region !== undefined && { region }),
      ...(profile !== undefined && { profile }),
      ...(endpoint !== undefined && { endpoint }),
      ...(endpoint !== undefined && isLoopback(endpoint) && LOCAL),
    });
    this.#made.set('pushedKinesis', client);
    return client;
  }

  get sqs(): SQSClient {
    return this.#client('sqs', SQSClient);
  }

  get secretsManager(): SecretsManagerClient {
    return this.#client('secretsManager', SecretsManagerClient);
  }

  get sns(): SNSClient {
    return this.#client('sns', SNSClient);
  }

  get serviceQuotas(): ServiceQuotasClient {
    return this.#client('serviceQuotas', ServiceQuotasClient);
  }

  get s3(): S3Client {
    return this.#client('s3', S3Client);
  }

  get dynamodb(): DynamoDBClient {
    return this.#client('dynamodb', DynamoDBClient);
  }

  get documents(): DynamoDBDocumentClient {
    return DynamoDBDocumentClient.from(this.dynamodb, ROW_TRANSLATION);
  }

  destroy(): void {
    for (const client of this.#made.values()) client.destroy();
  }

  #client<Client extends { destroy(): void }>(
    service: keyof NonNullable<Deployment['endpoints']>,
    Client: new (options: object) => Client,
  ): Client {
    const made = this.#made.get(service);
    if (made) return made as Client;
    const { region, profile, endpoints } = this.#deployment;
    const endpoint = endpoints?.[service];
    const client = new Client({
      maxAttempts: MAX_ATTEMPTS,
      // HTTP/1.1 for Kinesis too. HTTP/2, the default of the SDK, would not pay for the few calls of a command.
      requestHandler: new NodeHttpHandler(httpHandlerOptions(TIMEOUTS)),
      ...(region !== undefined && { region }),
      ...(profile !== undefined && { profile }),
      ...(endpoint !== undefined && { endpoint }),
      ...(endpoint !== undefined && isLoopback(endpoint) && LOCAL),
      // An endpoint of S3 on loopback has no host name for each bucket.
      ...(service === 's3' && endpoint !== undefined && { forcePathStyle: true }),
    });
    this.#made.set(service, client);
    return client;
  }
}

export function isLoopback(url: string): boolean {
  const host = URL.parse(url)?.hostname ?? '';
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(host);
}

/**
 * Makes one AWS call. The error of a failed call says in words why.
 *
 * @param whom for example `the session table rtms-sessions`
 * @throws ServiceError `cli/unreachable`
 */
export async function ask<Answer>(whom: string, call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await call();
  } catch (cause) {
    if (cause instanceof ServiceError) throw cause;
    const name = nameOf(cause);
    throw new ServiceError('cli/unreachable', `${whom}: ${explain(cause)}`, {
      cause,
      detail: { name, answered: !namesOf(cause).some((known) => NO_ANSWER.test(known)) },
    });
  }
}

function nameOf(cause: unknown): string {
  if (!(cause instanceof Error)) return typeof cause;
  return cause.message === NO_REGION ? 'NoRegion' : cause.name;
}

const NO_ANSWER =
  /^(?:TimeoutError|ECONNREFUSED|ENOTFOUND|ECONNRESET|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)$/;

/** Names from the API references of the four services and of the SDK's credential providers. */
const REASONS: readonly (readonly [RegExp, string])[] = [
  [
    /^CredentialsProviderError$/,
    'no AWS credentials; run `aws sso login`, set AWS_PROFILE or give --profile',
  ],
  [
    /^(?:ExpiredToken(?:Exception)?|RequestExpired)$/,
    'the AWS credentials have expired; log in again',
  ],
  [
    /^(?:UnrecognizedClientException|InvalidClientTokenId|InvalidSignatureException|SignatureDoesNotMatch)$/,
    'AWS does not accept the credentials; check --profile',
  ],
  [
    /^(?:AccessDenied(?:Exception)?|KMSAccessDeniedException|NotAuthorized)$/,
    'access denied; these credentials lack the permission (docs/cli.md lists them)',
  ],
  [
    /^(?:ResourceNotFoundException|QueueDoesNotExist|AWS\.SimpleQueueService\.NonExistentQueue)$/,
    'does not exist in this account and Region; check the name, --region and --profile',
  ],
  [NO_ANSWER, 'no answer; check the network, and whether the local stack still runs'],
];

/** The message of an SDK error that has no name. */
const NO_REGION = 'Region is missing';

function explain(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause.message === NO_REGION) return 'no AWS Region; set AWS_REGION or give --region';
  const names = namesOf(cause);
  const known = REASONS.find(([pattern]) => names.some((name) => pattern.test(name)));
  if (known) return `${known[1]}${deniedAction(cause)}`;
  // Other errors of the SDK itself are plain Errors, so only their message says anything.
  return cause.name === 'Error' ? cause.message : `${cause.name}: ${cause.message}`;
}

/** The words in which AWS names the right that is missing, as in `is not authorized to perform: dynamodb:Scan on …`. */
const ACTION = /not authorized to perform: ([\w-]+:\w+)/;

function deniedAction({ message }: Error): string {
  const action = ACTION.exec(message)?.[1];
  return action === undefined ? '' : `; what is missing: ${action}`;
}

function namesOf(cause: unknown): string[] {
  return cause instanceof Error ? [cause.name, (cause as NodeJS.ErrnoException).code ?? ''] : [];
}
