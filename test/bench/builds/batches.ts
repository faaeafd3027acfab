/** Batching and connections as everybody does them: PutRecords of 500 over kept HTTP/1.1 connections. */
import { Agent } from 'node:https';
import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';

export const FLUSH_MS = 200;
const MAX_RECORDS = 500;
const MAX_CALL_BYTES = 4 * 1024 * 1024;

export interface Entry {
  readonly PartitionKey: string;
  readonly Data: Uint8Array;
}

export function keptConnections(endpoint: string): KinesisClient {
  const httpsAgent = new Agent({ keepAlive: true, maxSockets: 50 });
  const requestHandler = new NodeHttpHandler({ httpsAgent });
  return new KinesisClient({ region: 'us-east-1', endpoint, requestHandler });
}

/** Puts entries in calls of 500, 4 MiB at most. @param onAnswered told how many entries a call held */
export async function putInBatches(
  client: KinesisClient,
  entries: readonly Entry[],
): Promise<void> {
  const calls: Promise<unknown>[] = [];
  let batch: Entry[] = [];
  let bytes = 0;
  const send = () => {
    calls.push(client.send(new PutRecordsCommand({ StreamName: 'media', Records: batch })));
    batch = [];
    bytes = 0;
  };
  for (const entry of entries) {
    if (batch.length === MAX_RECORDS || bytes + entry.Data.length > MAX_CALL_BYTES) send();
    batch.push(entry);
    bytes += entry.Data.length;
  }
  if (batch.length > 0) send();
  await Promise.all(calls);
}
