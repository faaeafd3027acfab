import { describeLoss } from '../../../sdk/consumer/index.ts';
import { nothingFound } from '../../meeting/meeting-reader.ts';
import { type Answer, peopleText } from '../answer.ts';
import { atMost, MEETING, skipOf } from '../arguments.ts';
import type { OpenMeeting } from '../meetings.ts';
import type { Scope } from '../scope.ts';
import { defineTool } from '../tool.ts';

const DEFAULT = 100;

export const gapsAndLedger = defineTool({
  name: 'gaps_and_ledger',
  title: 'What is missing of a meeting',
  description:
    'Lists what is lost of a meeting, from when to when and why, and the ledger of each source: how many frames and lines ' +
    'were received, written and lost. Read from the events alone, so it is fast; explain_meeting counts the media too.',
  readOnly: true,
  required: { meeting: MEETING },
  optional: {
    limit: atMost(500, DEFAULT, 'losses and ledger rows at most'),
    skip: skipOf(1_000_000, 'losses and ledger rows'),
  },
  async run({ meeting, limit = DEFAULT, skip = 0 }, { meetings, signal }) {
    return tellGaps(await meetings.open(meeting, signal), meetings.scope, { limit, skip });
  },
});

/** @throws ServiceError `cli/not-found` when the streams hold nothing of it */
export function tellGaps(
  { id, log, isUpToDate }: OpenMeeting,
  scope: Scope,
  { limit = DEFAULT, skip = 0 }: { readonly limit?: number; readonly skip?: number },
): Answer {
  if (!log.isKnown && isUpToDate) throw nothingFound(id);
  const report = log.report();
  const losses = report.losses.filter(({ toMs }) => toMs >= scope.sinceMs);
  const ledger = report.sources.filter(({ received }) => received !== undefined);
  const shownLosses = losses.slice(skip, skip + limit).map((loss) => ({
    what: peopleText(describeLoss(loss)),
    kind: loss.kind,
    mediaType: loss.mediaType,
    cause: peopleText(loss.cause),
    from: new Date(loss.fromMs).toISOString(),
    to: new Date(loss.toMs).toISOString(),
    ...(loss.count !== undefined && { count: loss.count }),
  }));
  const shownLedger = ledger.slice(skip, skip + limit).map((row) => ({
    rtmsStreamId: peopleText(row.rtmsStreamId, 512),
    epoch: row.epoch,
    mediaType: row.mediaType,
    ...(row.userId !== undefined && { userId: row.userId }),
    ...(row.channelId !== undefined && { channelId: peopleText(row.channelId, 512) }),
    received: row.received,
    written: row.written,
    lost: row.lost,
  }));
  const counts = { losses: losses.length, ledgerRows: ledger.length };
  const hasMore = Math.max(counts.losses, counts.ledgerRows) > skip + limit;
  const { isOpen, revoked } = report;
  return {
    facts: {
      meeting: peopleText(id, 512),
      counts,
      hasMore,
      isOpen,
      isRevoked: revoked.length > 0,
      isUpToDate,
    },
    sentences: [
      `Losses: ${counts.losses}.`,
      isOpen
        ? 'It still runs, so its last ledger is still to come.'
        : `Ledger rows: ${counts.ledgerRows}.`,
      ...(revoked.length > 0
        ? ['Zoom took the consent back: what is stored must be deleted.']
        : []),
      ...(hasMore ? [`There are more: call again with skip ${skip + limit}.`] : []),
    ],
    data: { losses: shownLosses, ledger: shownLedger },
    lines: [
      ...shownLosses.map(({ what }) => what),
      ...shownLedger.map(
        ({ epoch, mediaType, userId, channelId, received, written, lost }) =>
          `epoch ${epoch} ${mediaType} ${userId ?? channelId ?? ''}: received ${received}, written ${written}, lost ${lost}`,
      ),
    ],
  };
}
