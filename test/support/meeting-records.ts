import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { PutRecordCommand } from '@aws-sdk/client-kinesis';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { Deployment } from '../../cli/deployment/deployment.ts';
import { createSessionTable, startDynamoDb } from '../../local/aws/dynamodb.ts';
import type { KinesisServer } from '../../local/kinesis/server.ts';
import type { EventData, EventName } from '../../shared/record/event-data.ts';
import { streamKey } from '../../shared/record/partition-key.ts';
import { ATTRIBUTE, type SessionRow, sessionKey } from '../../shared/session-table/session-row.ts';
import { startLocalStreams } from './local-streams.ts';
import { eventBytes, START_MS } from './test-records.ts';

const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };

/** A deployment without runners: a table and two streams, in which tests write what runners would have written. */
export interface MeetingRecords extends AsyncDisposable {
  /** The file for `--config`. */
  readonly description: string;
  readonly deployment: Deployment;
  readonly kinesis: KinesisServer;
  /** Writes the row of a stream, of a meeting that began at `START_MS`. */
  row(fields: Partial<SessionRow> & { readonly rtmsStreamId: string }): Promise<void>;
  /** Writes one event of a stream, with the next number. */
  event<Name extends EventName>(
    rtmsStreamId: string,
    name: Name,
    data: EventData[Name],
    timeMs?: number,
  ): Promise<void>;
  /** Writes a line of the transcript that took two seconds. */
  said(rtmsStreamId: string, text: string, userName: string, atMs: number): Promise<void>;
  /** Writes bytes as they are into the events stream, under the key of a stream. */
  bytes(rtmsStreamId: string, data: Uint8Array): Promise<void>;
}

export async function startMeetingRecords(): Promise<MeetingRecords> {
  const streams = await startLocalStreams();
  const [media, events] = [await streams.create(), await streams.create()];
  const dynamodb = await startDynamoDb();
  const region = 'us-east-1';
  const endpoint = `http://127.0.0.1:${dynamodb.port}`;
  const client = new DynamoDBClient({ region, credentials, endpoint });
  const documents = DynamoDBDocumentClient.from(client);
  const table = 'sessions';
  await createSessionTable(client, table);
  const folder = await mkdtemp(join(tmpdir(), 'rtms-records-'));
  const description = join(folder, 'rtms.json');
  const endpoints = { kinesis: streams.server.url, dynamodb: endpoint };
  const names = { region, table, streams: { media, events }, endpoints };
  await writeFile(description, JSON.stringify(names));
  const sequences = new Map<string, number>();
  const bytes = async (rtmsStreamId: string, data: Uint8Array) => {
    const PartitionKey = streamKey(rtmsStreamId);
    await streams.client.send(
      new PutRecordCommand({ StreamName: events, PartitionKey, Data: data }),
    );
  };
  const deployment = { region, table, mediaStream: media, eventsStream: events, endpoints };
  const event: MeetingRecords['event'] = async (rtmsStreamId, name, data, timeMs = START_MS) => {
    const sequence = (sequences.get(rtmsStreamId) ?? 0) + 1;
    sequences.set(rtmsStreamId, sequence);
    await bytes(rtmsStreamId, eventBytes(name, data, sequence, { rtmsStreamId, timeMs }));
  };
  return {
    description,
    deployment,
    kinesis: streams.server,
    async row({ rtmsStreamId, ...fields }) {
      const known = { product: 'meeting', entityId: `uuid-${rtmsStreamId}`, epoch: 2, ...fields };
      const requestedAtMs = fields.requestedAtMs ?? START_MS;
      const row = { startEventTsMs: requestedAtMs, serverUrls: ['wss://zoom.us'], requestedAtMs };
      const stored = Object.entries({ rtmsStreamId, ...row, ...known }).map(([name, value]) => [
        (ATTRIBUTE as Readonly<Record<string, string>>)[name] ?? name,
        value,
      ]);
      const Item = { pk: sessionKey(rtmsStreamId), ...Object.fromEntries(stored) };
      await documents.send(new PutCommand({ TableName: table, Item }));
    },
    event,
    said(rtmsStreamId, text, userName, atMs) {
      const spoken = { timestampMs: atMs, startMs: atMs, endMs: atMs + 2_000 };
      return event(rtmsStreamId, 'transcript', { text, userId: 7, userName, ...spoken }, atMs);
    },
    bytes,
    async [Symbol.asyncDispose]() {
      client.destroy();
      await streams[Symbol.asyncDispose]();
      await dynamodb.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
