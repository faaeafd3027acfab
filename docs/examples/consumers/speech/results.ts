import { type KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import type { SpeakerLane } from '../../../../sdk/consumer/index.ts';

/** What a recogniser heard, in the meeting's time. */
export interface Heard {
  /** Unix ms. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly text: string;
}

/** Pauses before a call that Kinesis refused is made again, ms. */
const RETRY_MS = [100, 200, 400, 800, 1_600, 3_200, 5_000];

/**
 * The declared event: a CloudEvent in one line, type `speech.result.v1`, partition key the session. It goes into a stream of one's own, not
 * into `events`: the lines there are numbered and counted by the runner, and a reader takes a line that is not so for damaged.
 *
 * @param recogniser names the source, such as `transcribe`
 */
export function resultEvent(lane: SpeakerLane, recogniser: string, { fromMs, toMs, text }: Heard) {
  const { rtmsStreamId, userId, channelId } = lane;
  return {
    specversion: '1.0',
    type: 'speech.result.v1',
    source: `/speech/${recogniser}`,
    // The same words again have the same id, so that a reader can drop what a restart repeats.
    id: `${rtmsStreamId}/${userId ?? channelId}/${Math.round(fromMs)}/${recogniser}`,
    subject: rtmsStreamId,
    time: new Date(fromMs).toISOString(),
    datacontenttype: 'application/json',
    data: { userId, channelId, fromMs: Math.round(fromMs), toMs: Math.round(toMs), text },
  };
}

/** Writes results into a Kinesis stream. Resolves when Kinesis has them. */
export async function writeResults(
  client: KinesisClient,
  StreamName: string,
  results: readonly ReturnType<typeof resultEvent>[],
): Promise<void> {
  let Records = results.map((result) => ({
    PartitionKey: result.subject,
    Data: Buffer.from(`${JSON.stringify(result)}\n`),
  }));
  for (let attempt = 0; Records.length > 0; attempt++) {
    // Kinesis refuses single records of a call that succeeds.
    const answer = await client.send(new PutRecordsCommand({ StreamName, Records }));
    Records = Records.filter((_, index) => answer.Records?.[index]?.ErrorCode !== undefined);
    if (Records.length === 0) return;
    const waitMs = RETRY_MS[attempt];
    if (waitMs === undefined) throw new Error(`Kinesis refused ${Records.length} results`);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}
