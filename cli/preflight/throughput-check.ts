import { DescribeStreamSummaryCommand } from '@aws-sdk/client-kinesis';
import { ServiceError } from '../../shared/errors.ts';
import type { Context } from '../command.ts';
import { ask } from '../deployment/aws.ts';
import { attempt, type Check, type Sizing } from './check.ts';

/** MB/s that an on-demand stream takes for each shard that it has now. */
const SHARD_MBPS = 1;
/** Shards of a new on-demand stream. */
const NEW_STREAM_SHARDS = 4;
/** MB/s of a meeting with all media of the default request. A test compares it with `meetingLoad` of infra. */
export const MEETING_MBPS = 0.27;

const NAME = 'on-demand';
const FIX =
  'The stream doubles over tens of minutes under load; until then runners hold records back. Start meetings in steps, or see ' +
  '*New on-demand streams start small* in docs/deploy.md.';

/**
 * Checks how many meetings may start at once on an on-demand stream: it takes no more than its present shards do, and a
 * new one has few. For a provisioned stream there is no result.
 */
export function checkThroughput(context: Context, sizing: Sizing): Promise<readonly Check[]> {
  const rights = 'This check needs kinesis:DescribeStreamSummary.';
  return attempt(NAME, rights, async () => {
    const stream = await mediaStream(context);
    if (stream === undefined) {
      // Nothing is deployed yet. Whoever gives --shards plans provisioned streams.
      return sizing.shards === undefined ? [judge('a new stream', NEW_STREAM_SHARDS, sizing)] : [];
    }
    if (stream.StreamModeDetails?.StreamMode !== 'ON_DEMAND') return [];
    const warmMiBps = stream.WarmThroughput?.CurrentMiBps ?? 0;
    const takes = Math.max(warmMiBps, (stream.OpenShardCount ?? NEW_STREAM_SHARDS) * SHARD_MBPS);
    return [judge(String(stream.StreamName), takes, sizing)];
  });
}

function judge(what: string, takesMbps: number, { meetings }: Sizing): Check {
  const fit = Math.floor(takesMbps / MEETING_MBPS + 0.5);
  const found = `${what} takes ${takesMbps} MB/s at once, about ${fit} meetings with all media`;
  if (meetings === undefined) return { name: NAME, status: 'hint', found, fix: FIX };
  const compared = `${found}; ${meetings} wanted`;
  return meetings <= fit
    ? { name: NAME, status: 'ok', found: compared }
    : { name: NAME, status: 'warning', found: compared, fix: FIX };
}

async function mediaStream({ aws, deployment }: Context) {
  const StreamName = deployment.mediaStream;
  if (StreamName === undefined) return undefined;
  try {
    const answer = await ask(`stream ${StreamName}`, () =>
      aws.kinesis.send(new DescribeStreamSummaryCommand({ StreamName })),
    );
    return answer.StreamDescriptionSummary;
  } catch (error) {
    const isMissing =
      error instanceof ServiceError && error.detail['name'] === 'ResourceNotFoundException';
    if (isMissing) return undefined;
    throw error;
  }
}
