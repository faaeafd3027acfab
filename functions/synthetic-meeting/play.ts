import type { KinesisClient } from '@aws-sdk/client-kinesis';
import type { SigningApp, VerifyingApp } from '../../shared/zoom/credentials.ts';
import { SYNTHETIC_APP } from '../../shared/zoom/credentials.ts';
import { webhookUrlOf } from '../../shared/zoom/webhook-request.ts';
import { syntheticMeeting } from '../../simulator/scenario/synthetic-meeting.ts';
import { startSimulator } from '../../simulator/simulator.ts';
import type { SyntheticMeetingConfig } from './config.ts';
import { type ReadBack, readBack } from './read-back.ts';

/** Zoom's stop reason when everybody has left the meeting. */
const MEETING_ENDED = 6;
/** The records are read from this long before the start, because Kinesis stamps them with its own clock. */
const CLOCK_MARGIN_MS = 30_000;

export interface SyntheticResult extends Pick<ReadBack, 'frames' | 'lines' | 'problems'> {
  readonly rtmsStreamId: string;
  /** Every frame and line that Zoom sent is in the streams, and the ledger proves it. */
  readonly success: boolean;
  readonly why:
    | 'complete'
    | 'webhook'
    | 'not_ended'
    | 'incomplete'
    | 'contradictory'
    | 'frames'
    | 'lines';
  /** From the webhook to the first frame that was read from Kinesis; undefined when none came. */
  readonly latencyMs: number | undefined;
  readonly sentFrames: number;
  readonly sentLines: number;
}

/**
 * Plays one signed meeting through the deployment and judges it. A small Zoom listens here, the webhook is told of a
 * stream, a runner connects to this Zoom, and what the runner has written is read from Kinesis. The meeting has audio and
 * transcript alone, so that one partition key in each Kinesis stream is all that has to be read.
 */
export async function playSyntheticMeeting(
  config: SyntheticMeetingConfig,
  app: SigningApp & VerifyingApp,
  kinesis: KinesisClient,
): Promise<SyntheticResult> {
  const { host, signalingPort, mediaPort, meetingSeconds, deadlineSeconds } = config;
  const { clientId, clientSecret, webhookSecretTokens } = app;
  const statuses: (number | undefined)[] = [];
  await using zoom = await startSimulator({
    webhookUrls: [webhookUrlOf(config.webhookUrl, SYNTHETIC_APP)],
    app: { clientId, clientSecret, webhookSecretToken: webhookSecretTokens[0] ?? '' },
    bindHost: config.bindHost,
    signalingPort,
    mediaPort,
    ...(host !== '' && {
      publicUrls: {
        signaling: `ws://${host}:${signalingPort}`,
        media: `ws://${host}:${mediaPort}`,
      },
    }),
    onEvent: (event) => {
      if (event.kind === 'webhook') statuses.push(event.delivery.attempts.at(-1)?.status);
    },
  });
  const startedAtMs = performance.now();
  const startedAt = new Date(Date.now() - CLOCK_MARGIN_MS);
  const meeting = syntheticMeeting({
    name: 'synthetic',
    durationMs: (meetingSeconds + deadlineSeconds) * 1_000,
    transcriptEveryMs: 1_000,
  });
  const rtmsStreamId = zoom.start({ ...meeting, media: ['audio', 'transcript'] }) as string;
  const deadline = AbortSignal.timeout((meetingSeconds + deadlineSeconds) * 1_000);
  let ending: NodeJS.Timeout | undefined;
  // The meeting's time runs from the first frame, so that a runner which comes late still counts, and its latency shows it.
  const onFirstFrame = () => {
    ending = setTimeout(
      () => zoom.act(rtmsStreamId, { do: 'stop', reason: MEETING_ENDED }),
      meetingSeconds * 1_000,
    );
  };
  const streams = { media: config.mediaStream, events: config.eventsStream };
  const found = await readBack(kinesis, streams, rtmsStreamId, startedAt, onFirstFrame, deadline);
  clearTimeout(ending);
  const sent = zoom.sent(rtmsStreamId);
  const sentFrames = sent.sources.reduce((sum, { frames }) => sum + frames, 0);
  const sentLines = sent.transcript.filter((line) => line.sent).length;
  const why = judge(found, sentFrames, sentLines, statuses.includes(200));
  return {
    rtmsStreamId,
    success: why === 'complete',
    why,
    latencyMs: found.firstFrameAtMs === undefined ? undefined : found.firstFrameAtMs - startedAtMs,
    frames: found.frames,
    lines: found.lines,
    problems: found.problems,
    sentFrames,
    sentLines,
  };
}

/** @returns the first step on the way that failed */
function judge(
  found: ReadBack,
  sentFrames: number,
  sentLines: number,
  isWebhookTaken: boolean,
): SyntheticResult['why'] {
  if (!isWebhookTaken) return 'webhook';
  if (!found.hasEnded) return 'not_ended';
  if (found.verdict !== 'complete') return found.verdict;
  if (sentFrames === 0 || found.frames !== sentFrames) return 'frames';
  return found.lines === sentLines ? 'complete' : 'lines';
}
