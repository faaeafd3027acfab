import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { ArchivedSession } from '../../sdk/consumer/archive/archive-reader.ts';
import { inspectSession } from '../../sdk/consumer/archive/inspect-session.ts';
import { MANIFEST_NAME } from '../../sdk/consumer/archive/layout.ts';
import {
  type ArchiveManifest,
  encodeManifest,
  type FinalisedBecause,
  isSameRecording,
  parseManifest,
} from '../../sdk/consumer/archive/manifest.ts';
import type { ObjectStore } from '../../sdk/consumer/archive/object-store.ts';
import { trimmedDuring } from '../../sdk/consumer/archive/trimmed.ts';
import { LedgerChecker } from '../../sdk/consumer/index.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Metrics } from '../../shared/metrics.ts';
import type { ArchiverConfig } from './config.ts';
import { makeMeetingFile } from './meeting-file.ts';
import { readyDetail, tellReady } from './ready-event.ts';

export interface FinaliserOptions {
  readonly config: ArchiverConfig;
  readonly store: ObjectStore;
  readonly eventBridge: EventBridgeClient;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Reads all of a session back from S3, writes `manifest.json` (and `meeting.mp4` where it is wanted), and tells EventBridge.
 * It may run twice, at the same time too: the manifest is written only over the one that was read, and one that says the same
 * stays as it is.
 *
 * @returns the manifest as it is in S3 now; `revoked` for a session whose events say so; `empty` when nothing is there
 * @throws ServiceError `archive/*`
 */
export async function finaliseSession(
  { config, store, eventBridge, logger, metrics }: FinaliserOptions,
  rtmsStreamId: string,
  because: FinalisedBecause,
): Promise<ArchiveManifest | 'revoked' | 'empty'> {
  for (;;) {
    const session = await ArchivedSession.open(store, config.prefix, rtmsStreamId);
    const trimmed = await trimmedDuring(store, config.prefix, await session.names());
    const { objects, report, about } = await inspectSession(session, new LedgerChecker(trimmed));
    if (about.isRevoked) return 'revoked';
    if (objects.length === 0) return 'empty';
    const key = session.folder + MANIFEST_NAME;
    const before = await store.get(key);
    const known = before && parseManifest(before.body, key);
    const meeting = await makeMeetingFile(config, store, session, known);
    const all = [...objects, ...(meeting?.object ? [meeting.object] : [])];
    const times = objects
      .flatMap(({ fromMs, toMs }) => [fromMs, toMs])
      .filter((ms) => ms !== undefined);
    const records = (kind: string) =>
      objects.reduce((sum, object) => sum + (object.kind === kind ? object.records : 0), 0);
    const { verdict, isOpen, losses, problems } = report;
    const { product, entityId, continues } = about;
    const manifest: ArchiveManifest = parseManifest(
      encodeManifest({
        version: 1,
        rtmsStreamId,
        revision: (known?.revision ?? 0) + 1,
        finalisedAtMs: Date.now(),
        because,
        product,
        entityId,
        continues,
        ...(times.length > 0 && {
          fromMs: times.reduce((a, b) => Math.min(a, b)),
          toMs: times.reduce((a, b) => Math.max(a, b)),
        }),
        verdict,
        isOpen,
        losses: losses.map((loss) => ({ ...loss })),
        problems: [...problems],
        frames: records('media'),
        events: records('events'),
        sizeBytes: all.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
        objects: all,
        ...(trimmed.length > 0 && { trimmed }),
        meetingLeftOut: meeting?.leftOut,
      }),
      key,
    );
    const isKnown = known !== undefined && isSameRecording(known, manifest);
    const written = isKnown ? known : manifest;
    const contentType = 'application/json';
    const ifIs = before?.etag ?? 'none';
    if (!isKnown && !(await store.put(key, encodeManifest(manifest), { contentType, ifIs })))
      continue;
    await tellReady(eventBridge, readyDetail(config, written));
    metrics.count('ArchiveSessions', 1, verdict);
    logger.info('a recording is ready', {
      event: 'recording_ready',
      rtmsStreamId,
      folder: session.folder,
      because,
      revision: written.revision,
      verdict,
      objects: all.length,
      frames: written.frames,
      events: written.events,
      sizeBytes: written.sizeBytes,
    });
    return written;
  }
}
