import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { type LocalAws, startLocalAws } from '../../local/aws/local-aws.ts';
import { startWebhookServer } from '../../local/webhook-server.ts';
import { decodeSessionJob } from '../../shared/session-job.ts';
import { type SessionRow, sessionKey } from '../../shared/session-table/session-row.ts';
import { signedWebhook } from '../../shared/zoom/webhook-request.ts';
import { signWebhook } from '../../shared/zoom/webhook-signature.ts';
import type { SimulatorEvent } from '../../simulator/simulator.ts';
import { EXAMPLE_APP } from '../../simulator/sockets/handshake.ts';
import { waitFound } from './wait-found.ts';

/** Webhook secret token of the default app. */
export const TOKEN = 'exampleWebhookSecretToken';
/** Of the app `team-b`. */
export const TOKEN_B = 'exampleWebhookSecretTokenOfTeamB';

/** The secret of a deployment with two apps. */
export function zoomSecret(tokens: readonly string[] = [TOKEN]): string {
  const credentials = { clientId: 'abcDEF123clientid', clientSecret: 'rtmsExampleClientSecret' };
  return JSON.stringify({
    apps: {
      default: { ...credentials, webhookSecretTokens: tokens },
      'team-b': { ...credentials, webhookSecretTokens: [TOKEN_B] },
    },
  });
}

export interface PostOptions {
  /** Path after the base. @default the default app's */
  readonly app?: string;
  readonly token?: string;
  /** How long ago it was signed. @default 0 */
  readonly ageSeconds?: number;
  /** Replace or add headers; an empty value leaves one out. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent in place of the body that was signed. */
  readonly sentBody?: string | Buffer;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** The webhook function behind HTTP, on local AWS. */
export interface FrontDoor {
  readonly aws: LocalAws;
  readonly url: string;
  /** Posts a body as Zoom would, signed unless the options say otherwise. */
  post(body: object | string | Buffer, options?: PostOptions): Promise<Answer>;
  row(rtmsStreamId: string): Promise<SessionRow | undefined>;
  /** Stream ids of all jobs so far. It takes them out of the queue. */
  jobs(): Promise<string[]>;
  close(): Promise<void>;
}

/**
 * Starts local AWS and the very handler that Lambda runs. The handler reads the environment when it is
 * imported, so this sets `process.env`: one front door per process (or after `vi.resetModules`).
 */
export async function startFrontDoor(
  environment: Readonly<Record<string, string>> = {},
): Promise<FrontDoor> {
  const aws = await startLocalAws({ zoomSecret: zoomSecret() });
  Object.assign(process.env, aws.env(), {
    ALLOWED_HOSTS: 'zoom.us,127.0.0.1',
    POWERTOOLS_METRICS_DISABLED: 'true',
    LOG_LEVEL: 'ERROR',
    // Powertools then writes through the global console, which belongs to the test.
    POWERTOOLS_DEV: 'true',
    ...environment,
  });
  const { handler } = await import('../../functions/zoom-webhook/handler.ts');
  const server = await startWebhookServer({ port: 0, path: '/webhook', handler });
  const { endpoints, region, credentials, table } = aws;
  const dynamodb = new DynamoDBClient({ region, credentials, endpoint: endpoints.dynamodb });
  const documents = DynamoDBDocumentClient.from(dynamodb);
  const sqs = new SQSClient({
    region,
    credentials,
    endpoint: endpoints.sqs,
    useQueueUrlAsEndpoint: false,
  });
  return {
    aws,
    url: server.url,
    post: (body, options) => post(server.url, body, options),
    row: async (rtmsStreamId) => {
      const key = { TableName: table, Key: { pk: sessionKey(rtmsStreamId) } };
      const { Item } = await documents.send(new GetCommand({ ...key, ConsistentRead: true }));
      return Item as SessionRow | undefined;
    },
    jobs: collectJobs(sqs, aws.queueUrl),
    close: async () => {
      await server.close();
      dynamodb.destroy();
      sqs.destroy();
      await aws.close();
    },
  };
}

async function post(
  url: string,
  body: object | string | Buffer,
  options: PostOptions = {},
): Promise<Answer> {
  const { app, token = TOKEN, ageSeconds = 0, headers = {}, sentBody } = options;
  const raw = Buffer.isBuffer(body)
    ? body
    : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const timestamp = String(Math.floor(Date.now() / 1000) - ageSeconds);
  const all = {
    'content-type': 'application/json; charset=utf-8',
    'user-agent': 'Zoom Marketplace/1.0a',
    'x-zm-request-timestamp': timestamp,
    'x-zm-signature': signWebhook(token, timestamp, raw),
    ...headers,
  };
  const response = await fetch(app === undefined ? url : `${url}/${app}`, {
    method: 'POST',
    headers: Object.entries(all).filter(([, value]) => value !== '') as [string, string][],
    body: (sentBody ?? raw) as NonNullable<RequestInit['body']>,
  });
  return { status: response.status, text: await response.text() };
}

/**
 * Posts a webhook as Zoom signs it, and posts it again while the answer is 5xx, as Zoom does. On a busy machine the local
 * tables are slower than the function may wait, and it answers 503. For tests whose subject is what comes after the webhook.
 *
 * @param happenedAtMs the `event_ts`, Unix ms
 * @returns the HTTP status of the last answer
 * @throws Error when every answer of 45 s was 5xx
 */
export function deliverAsZoom(
  url: string,
  secretToken: string,
  event: string,
  payload: object,
  happenedAtMs = Date.now(),
): Promise<number> {
  const body = JSON.stringify({ event, event_ts: happenedAtMs, payload });
  const deliver = async () => {
    const { status } = await fetch(url, signedWebhook(secretToken, body, Date.now()));
    return status < 500 && status;
  };
  return waitFound(`an answer to ${event} that is not 5xx`, deliver, 45_000);
}

/**
 * Delivers a webhook of the simulator again when its first answer was 5xx or none although no service has a fault: then the
 * machine is busy. By itself the simulator waits for five minutes, as Zoom does, which is longer than a test.
 */
export function deliverAgain(told: SimulatorEvent, faults: LocalAws['faults'] | undefined): void {
  if (told.kind !== 'webhook') return;
  const { url, event: sent, attempts } = told.delivery;
  const [{ status = 0 } = {}, ...later] = attempts;
  const isFinal = status > 0 && status < 500;
  const hasFault = Object.values(faults ?? {}).some(({ mode }) => mode !== 'pass');
  if (isFinal || hasFault || later.length > 0) return;
  const token = EXAMPLE_APP.webhookSecretToken;
  // A webhook process that is gone belongs to a test that is over.
  deliverAsZoom(url, token, sent.event, sent.payload, sent.event_ts).catch(() => undefined);
}

/** Receives what waits in the queue and keeps it: a message that was only looked at would be in the way of the next look. */
function collectJobs(sqs: SQSClient, QueueUrl: string): () => Promise<string[]> {
  const collected: string[] = [];
  return async () => {
    for (let waiting = true; waiting; ) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }),
      );
      for (const { Body = '', ReceiptHandle } of Messages) {
        collected.push(decodeSessionJob(Body)?.rtmsStreamId ?? Body);
        await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
      waiting = Messages.length > 0;
    }
    return [...collected];
  };
}
