/** The good build with the aggregation library that AWS publishes: one aggregate a flush and session. */
import { createRequire } from 'node:module';
import { type Entry, FLUSH_MS, keptConnections, putInBatches } from './batches.ts';
import { noteDelay, type StartBuild } from './build.ts';
import { joinLikeASample } from './sample-client.ts';

interface UserRecord {
  readonly partitionKey: string;
  readonly data: Buffer;
}
interface AggregationLibrary {
  aggregate(
    records: readonly UserRecord[],
    onEncoded: (encoded: UserRecord, done: () => void) => void,
    onDone: () => void,
    onError: (error: Error) => void,
  ): void;
}
// Its types want the SDK of 2014.
const library = createRequire(import.meta.url)('aws-kinesis-agg') as AggregationLibrary;

export const start: StartBuild = async (endpoint, tally) => {
  const client = keptConnections(endpoint);
  const sessions = new Map<string, { records: UserRecord[]; times: number[] }>();

  async function flush(): Promise<void> {
    const entries: Entry[] = [];
    const captured: number[] = [];
    for (const session of sessions.values()) {
      if (session.records.length === 0) continue;
      entries.push(...(await aggregate(session.records)));
      captured.push(...session.times);
      session.records = [];
      session.times = [];
    }
    await putInBatches(client, entries);
    const now = Date.now();
    tally.frames += captured.length;
    for (const time of captured) noteDelay(tally, now - time);
  }
  setInterval(() => void flush(), FLUSH_MS);

  return {
    join: (session) => {
      const own = { records: [] as UserRecord[], times: [] as number[] };
      sessions.set(session.rtmsStreamId, own);
      return joinLikeASample(session, ({ data, timestamp }) => {
        const partitionKey = session.rtmsStreamId;
        own.records.push({ partitionKey, data: Buffer.from(data, 'base64') });
        own.times.push(timestamp);
      });
    },
  };
};

function aggregate(records: readonly UserRecord[]): Promise<Entry[]> {
  const entries: Entry[] = [];
  const done = Promise.withResolvers<Entry[]>();
  library.aggregate(
    records,
    ({ partitionKey, data }, next) => {
      entries.push({ PartitionKey: partitionKey, Data: data });
      next();
    },
    () => done.resolve(entries),
    done.reject,
  );
  return done.promise;
}
