import { ApiError, type EntryErrorName } from './api-error.ts';
import type { Call } from './call.ts';
import { streamOf } from './call.ts';
import { asObject, type Input, invalid, list, wrongType } from './input.ts';
import { KIB, KINESIS_QUOTAS, PAYLOAD_UNIT_BYTES } from './limits.ts';
import { parseHashKey } from './shard.ts';
import type { DataStream } from './stream.ts';

interface Entry {
  readonly data: string;
  readonly partitionKey: string;
  readonly explicitHashKey: bigint | undefined;
  readonly sizeBytes: number;
}

interface Refusal {
  readonly code: EntryErrorName;
  readonly message: string;
}

const MAX_RECORD_BYTES = KINESIS_QUOTAS.maxRecordKiB * KIB;

/** Base64 is decoded into it only to check it, which is far faster than a regular expression. */
const scratch = Buffer.allocUnsafeSlow(MAX_RECORD_BYTES);

/** Writes up to 500 records. Each succeeds or fails by itself, and the answer has them in request order. */
export function putRecordsOperation(input: Input, call: Call): string {
  const stream = streamOf(input, call.account);
  stream.counters.putCalls += 1;
  const entries: Entry[] = [];
  let callBytes = 0;
  for (const value of list(input, 'Records', 1, KINESIS_QUOTAS.recordsPerPut)) {
    const path = `records.${entries.length + 1}.member.`;
    const entry = parseEntry(asObject(value), stream, path);
    callBytes += entry.sizeBytes;
    entries.push(entry);
  }
  if (callBytes > KINESIS_QUOTAS.bytesPerPut) {
    throw new ApiError('InvalidArgumentException', 'Records size exceeds 10 MiB limit.');
  }
  let failed = 0;
  let records = '';
  for (const entry of entries) {
    const result = putEntry(entry, stream, call);
    if ('code' in result) failed += 1;
    records += (records === '' ? '' : ',') + resultJson(result);
  }
  return `{"FailedRecordCount":${failed},"Records":[${records}]}`;
}

/** Writes one record. When the record is refused, the call fails. */
export function putRecord(input: Input, call: Call): string {
  const stream = streamOf(input, call.account);
  stream.counters.putCalls += 1;
  const result = putEntry(parseEntry(input, stream, ''), stream, call);
  if ('code' in result) throw new ApiError(result.code, result.message);
  return resultJson(result);
}

interface Placed {
  readonly shardId: string;
  readonly sequenceNumber: string;
}

function resultJson(result: Placed | Refusal): string {
  // Every value is a name or number of this server, and none needs escaping.
  return 'code' in result
    ? `{"ErrorCode":"${result.code}","ErrorMessage":"${result.message}"}`
    : `{"SequenceNumber":"${result.sequenceNumber}","ShardId":"${result.shardId}"}`;
}

function putEntry(entry: Entry, stream: DataStream, call: Call): Placed | Refusal {
  const { data, partitionKey, sizeBytes } = entry;
  const { account, nowMs } = call;
  const { counters } = stream;
  const shard = stream.route(partitionKey, entry.explicitHashKey);
  const fault = call.entryError();
  if (fault === 'InternalFailure') {
    counters.failed += 1;
    return { code: fault, message: 'Internal service failure.' };
  }
  if (fault !== undefined || !shard.admitWrite(sizeBytes, nowMs)) {
    counters.throttled += 1;
    return {
      code: 'ProvisionedThroughputExceededException',
      message: `Rate exceeded for shard ${shard.id} in stream ${stream.name} under account ${account.id}.`,
    };
  }
  account.makeRoom(data.length);
  counters.recordsIn += 1;
  counters.bytesIn += sizeBytes;
  counters.payloadUnits += Math.ceil(sizeBytes / PAYLOAD_UNIT_BYTES);
  const record = { data, partitionKey, arrivedAtMs: nowMs, sizeBytes };
  return { shardId: shard.id, sequenceNumber: shard.append(record) };
}

/** @param path prefix of a member's name in a validation message */
function parseEntry(input: Input, stream: DataStream, path: string): Entry {
  const { Data: data, PartitionKey: partitionKey, ExplicitHashKey: hashKey } = input;
  if (data === undefined || data === null) throw invalid(`${path}data`, 'null', 'not be null');
  // A caller in this process may hand over bytes. It keeps them: a shard has their number alone, and nobody can read them from it.
  const text = data instanceof Uint8Array ? '' : data;
  if (typeof text !== 'string') throw wrongType(`${path}data`, 'base64');
  const key = partitionKey ?? '';
  if (typeof key !== 'string') throw wrongType(`${path}partitionKey`, 'a string');
  // Only a stream with AUTO distribution takes records without a key.
  if (key === '' && stream.recordDistribution !== 'AUTO') {
    throw invalid(`${path}partitionKey`, key, 'have length greater than or equal to 1');
  }
  if (key.length > KINESIS_QUOTAS.partitionKeyLength) {
    const rule = `have length less than or equal to ${KINESIS_QUOTAS.partitionKeyLength}`;
    throw invalid(`${path}partitionKey`, key, rule);
  }
  const dataBytes = data instanceof Uint8Array ? data.length : decodedBytes(text);
  const sizeBytes = dataBytes + Buffer.byteLength(key);
  if (sizeBytes > stream.maxRecordKiB * KIB) {
    // AWS does not document its own text.
    const rule = `have length less than or equal to ${stream.maxRecordKiB * KIB}`;
    throw invalid(`${path}data`, `${sizeBytes} bytes with its key`, rule);
  }
  // Characters that are not base64 decode to nothing, so fewer bytes than expected come out.
  const isWhole = data instanceof Uint8Array || scratch.write(text, 'base64') === dataBytes;
  if (!isWhole) throw wrongType(`${path}data`, 'base64');
  return { data: text, partitionKey: key, explicitHashKey: parseExplicit(hashKey), sizeBytes };
}

function parseExplicit(hashKey: unknown): bigint | undefined {
  if (hashKey === undefined || hashKey === null) return undefined;
  const parsed = parseHashKey(String(hashKey));
  if (parsed !== undefined) return parsed;
  throw new ApiError(
    'InvalidArgumentException',
    `Invalid ExplicitHashKey. ExplicitHashKey must be in the range: [0, 2^128-1]. ` +
      `Specified value was ${String(hashKey)}`,
  );
}

/** @returns the decoded size; not a whole number for text whose length is not that of base64 */
function decodedBytes(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return (base64.length / 4) * 3 - padding;
}
