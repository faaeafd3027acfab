import type { KinesisClient } from '@aws-sdk/client-kinesis';
import type { LocalAws } from '../../local/aws/local-aws.ts';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { connect } from '../support/kinesis-client.ts';
import { EVERYTHING, startWorld } from '../support/world.ts';

/** Two people who talk all the time, a camera, a share and a transcript: frames of 60 B to 120 kB. */
const MEETING = syntheticMeeting({
  durationMs: 600_000,
  video: true,
  share: true,
  transcriptEveryMs: 500,
});

/** A meeting that has ended, in the local Kinesis and the session table. */
export interface RecordedMeeting {
  readonly aws: LocalAws;
  readonly kinesis: KinesisClient;
  readonly rtmsStreamId: string;
}

/** Lets a real runner record a meeting of so many frames at least; the local AWS lives until `use` returns. */
export async function withRecordedMeeting<Result>(
  frames: number,
  use: (meeting: RecordedMeeting) => Promise<Result>,
): Promise<Result> {
  await using world = await startWorld({ runners: 1, media: EVERYTHING });
  const { aws } = world.stack;
  const rtmsStreamId = world.simulator.start(MEETING) ?? '';
  const areThere = () => world.framesOf(rtmsStreamId).length >= frames;
  await world.until(`${frames} frames`, areThere, 60_000);
  world.simulator.act(rtmsStreamId, { do: 'stop', reason: 6 });
  await world.event('session_ended', { rtmsStreamId }, 60_000);
  const kinesis = connect(aws.endpoints.kinesis);
  try {
    return await use({ aws, kinesis, rtmsStreamId });
  } finally {
    kinesis.destroy();
  }
}
