import { expect } from 'vitest';
import { RtmsClient } from '../../../rtms/client.ts';
import { completeMediaRequest } from '../../../rtms/protocol/params.ts';
import { DEFAULT_PROTOCOL } from '../../../rtms/protocol/protocol-settings.ts';
import { followVideo } from '../../../runner/session/video/follow-video.ts';
import { SILENT_LOGGER } from '../../../shared/logger.ts';
import type { EventData } from '../../../shared/record/event-data.ts';
import type { VideoFollow } from '../../../shared/video-follow.ts';
import type { ActionInput, ScenarioInput } from '../../../simulator/scenario/scenario.ts';
import { startSimulator } from '../../../simulator/simulator.ts';
import { EXAMPLE_APP } from '../../../simulator/sockets/handshake.ts';
import { EventLog, QUICK } from './simulated-client.ts';

export const NAMES = ['Ada', 'Ben', 'Cam'];
export const [ADA, BEN, CAM] = [16_778_240, 16_779_264, 16_780_288] as const;
const CAMERA = {
  kind: 'synthetic',
  fps: 25,
  frameBytes: 300,
  keyFrameBytes: 900,
  keyEvery: 25,
} as const;
export const THREE_CAMERAS = [ADA, BEN, CAM].map((userId, index) => ({
  userId,
  userName: NAMES[index] ?? '',
  video: CAMERA,
}));

/** A client with three cameras before it, on Zoom's real pace; what was recorded of whom. @param cameras with V2 */
export async function follow(
  policy: VideoFollow,
  scenario: Partial<ScenarioInput> = {},
  { missingMs = 10_000, cameras = 1 }: { missingMs?: number; cameras?: number } = {},
) {
  const simulator = await startSimulator({ seed: 'video' });
  const rtmsStreamId = simulator.start({
    name: 'three cameras',
    durationMs: 60_000,
    participants: THREE_CAMERAS,
    ...scenario,
  }) as string;
  const { entityId } = simulator.streams()[0] as { entityId: string };
  const client = new RtmsClient({
    ...QUICK,
    protocol: { ...DEFAULT_PROTOCOL, version: cameras > 1 ? 2 : 1 },
    media: completeMediaRequest({
      audio: false,
      deskshare: false,
      transcript: false,
      chat: false,
      video: { codec: 'H264', fps: 25, dataOpt: 'VIDEO_SINGLE_INDIVIDUAL_STREAM', cameras },
    }),
  });
  const log = new EventLog(client);
  const selected: EventData['video_selected'][] = [];
  const missing: number[] = [];
  const counts: string[] = [];
  followVideo(
    client,
    policy,
    { selected: (data) => selected.push(data), missing: (userId) => missing.push(userId) },
    {
      missingMs,
      cameras,
      logger: SILENT_LOGGER,
      metrics: { count: (name) => counts.push(name), observe: () => {} },
    },
  );
  client.join({
    product: 'meeting',
    entityId,
    rtmsStreamId,
    serverUrls: [simulator.serverUrl(rtmsStreamId)],
    clientId: EXAMPLE_APP.clientId,
    clientSecret: EXAMPLE_APP.clientSecret,
  });
  return {
    client,
    log,
    selected,
    missing,
    counts,
    act: (action: ActionInput) => simulator.act(rtmsStreamId, action),
    framesOf: (userId: number) => log.of('frame').filter((frame) => frame.userId === userId),
    pictures: (userId: number) => log.of('frame').filter((frame) => frame.userId === userId).length,
    /** Pictures recorded by person are those that Zoom sent of each. */
    async expectAllRecorded() {
      await client.leave();
      for (const userId of [ADA, BEN, CAM]) {
        const sent = simulator
          .sent(rtmsStreamId)
          .sources.filter((source) => source.mediaType === 'video' && source.userId === userId)
          .reduce((total, { frames }) => total + frames, 0);
        expect(this.pictures(userId), String(userId)).toBe(sent);
      }
    },
    async [Symbol.asyncDispose]() {
      await client.leave();
      await simulator.close();
    },
  };
}
