/** The obvious good build: batches of 500 frames, kept connections, no aggregation. */

import { type Entry, FLUSH_MS, keptConnections, putInBatches } from './batches.ts';
import { noteDelay, type StartBuild } from './build.ts';
import { joinLikeASample } from './sample-client.ts';

export const start: StartBuild = async (endpoint, tally) => {
  const client = keptConnections(endpoint);
  let entries: Entry[] = [];
  let times: number[] = [];

  async function flush(): Promise<void> {
    const [puts, captured] = [entries, times];
    [entries, times] = [[], []];
    await putInBatches(client, puts);
    const now = Date.now();
    tally.frames += captured.length;
    for (const time of captured) noteDelay(tally, now - time);
  }
  setInterval(() => void flush(), FLUSH_MS);

  return {
    join: (session) =>
      joinLikeASample(session, ({ data, timestamp }) => {
        entries.push({ PartitionKey: session.rtmsStreamId, Data: Buffer.from(data, 'base64') });
        times.push(timestamp);
        if (entries.length === 500) void flush();
      }),
  };
};
