/** The first thing one writes: a PutRecord per frame, with the SDK's client as it comes. */
import { KinesisClient, PutRecordCommand } from '@aws-sdk/client-kinesis';
import { noteDelay, type StartBuild } from './build.ts';
import { joinLikeASample } from './sample-client.ts';

export const start: StartBuild = async (endpoint, tally) => {
  const client = new KinesisClient({ region: 'us-east-1', endpoint });
  return {
    join: (session) =>
      joinLikeASample(session, async ({ data, timestamp }) => {
        const Data = Buffer.from(data, 'base64');
        const PartitionKey = session.rtmsStreamId;
        try {
          await client.send(new PutRecordCommand({ StreamName: 'media', PartitionKey, Data }));
        } catch {
          // Out of sockets, mostly: the frame is lost, as it would be.
          return;
        }
        tally.frames += 1;
        noteDelay(tally, Date.now() - timestamp);
      }),
  };
};
