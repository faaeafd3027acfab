import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { MANIFEST_NAME, sessionFolder } from '../../sdk/consumer/archive/layout.ts';
import type { ArchiveManifest } from '../../sdk/consumer/archive/manifest.ts';
import { ServiceError } from '../../shared/errors.ts';
import type { ArchiverConfig } from './config.ts';

/** What rules of EventBridge match. */
export const EVENT_SOURCE = 'rtms-kinesis';
export const DETAIL_TYPE = 'RTMS Recording Ready';

/** `detail` of the event: where the recording is and what it is worth, and nothing that was said in it. */
export interface RecordingReady {
  readonly deployment: string;
  readonly rtmsStreamId: string;
  readonly product?: string | undefined;
  readonly entityId?: string | undefined;
  readonly bucket: string;
  /** Folder of the session, which ends with `/`. */
  readonly folder: string;
  readonly manifest: string;
  /** Key of `meeting.mp4`, where there is one. */
  readonly meeting?: string;
  readonly revision: number;
  readonly because: ArchiveManifest['because'];
  readonly verdict: ArchiveManifest['verdict'];
  readonly frames: number;
  readonly events: number;
  readonly sizeBytes: number;
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
}

export function readyDetail(config: ArchiverConfig, manifest: ArchiveManifest): RecordingReady {
  const { deployment, bucket, prefix } = config;
  const { rtmsStreamId, product, entityId, revision, because, verdict } = manifest;
  const folder = sessionFolder(prefix, rtmsStreamId);
  const meeting = manifest.objects.find(({ kind }) => kind === 'meeting');
  const { frames, events, sizeBytes, fromMs, toMs } = manifest;
  return {
    deployment,
    rtmsStreamId,
    product,
    entityId,
    bucket,
    folder,
    manifest: folder + MANIFEST_NAME,
    ...(meeting && { meeting: folder + meeting.name }),
    revision,
    because,
    verdict,
    frames,
    events,
    sizeBytes,
    fromMs,
    toMs,
  };
}

/**
 * Tells EventBridge, on the default bus of the account. It may come twice after a crash: `rtmsStreamId` and `revision` name it.
 *
 * @throws ServiceError `archive/store-failed`: the session is finalised again then
 */
export async function tellReady(client: EventBridgeClient, detail: RecordingReady): Promise<void> {
  const Entries = [
    { Source: EVENT_SOURCE, DetailType: DETAIL_TYPE, Detail: JSON.stringify(detail) },
  ];
  try {
    const { FailedEntryCount, Entries: answers } = await client.send(
      new PutEventsCommand({ Entries }),
    );
    if (!FailedEntryCount) return;
    throw new Error(answers?.[0]?.ErrorCode ?? 'refused');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ServiceError('archive/store-failed', `EventBridge: ${why}`, { cause });
  }
}
