import type { World } from '../support/world.ts';

/** What a corruptor has to know. */
export interface CorruptTargets {
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly endpoints: { readonly dynamodb: string; readonly kinesis: string; readonly sqs: string };
  readonly table: string;
  readonly queueUrl: string;
  readonly streams: { readonly media: string; readonly events: string };
  /** A row as the webhook writes one, of a stream that is not there. */
  readonly row: Readonly<Record<string, unknown>>;
}

export function targetsOf({ stack }: World): CorruptTargets {
  const { region, credentials, endpoints, table, queueUrl, streams } = stack.aws;
  const nowMs = Date.now();
  const row = {
    owner: 'UNOWNED',
    startEventTsMs: nowMs,
    serverUrls: ['ws://127.0.0.1:1/signaling'],
    product: 'meeting',
    entityId: 'hostile',
    app: 'default',
    requestedAtMs: nowMs,
  };
  return { region, credentials, endpoints, table, queueUrl, streams, row };
}
