import type { EventData, MissReason } from '../../../shared/record/event-data.ts';

const WORDS: Readonly<Record<MissReason, string>> = {
  address_refused: 'Zoom named no address on an allowed host',
  no_credentials: 'there was nothing to sign the handshake with',
  refused: 'Zoom refused the handshake',
  not_connected: 'nobody could connect before Zoom gave the stream up',
  came_too_late: 'Zoom’s webhook came too late',
  no_room: 'no runner had room in time',
  stopped_first: 'Zoom stopped the stream before a runner was connected',
  revoked: 'access was taken back before a runner was connected',
  operator_stop: 'an operator ended it before a runner was connected',
  defect: 'it ended the runners that tried, by a defect of ours',
  start_failed: 'Zoom could not start the stream',
  concurrency_limited: 'the account was at its limit of streams',
  not_announced: 'it was live at Zoom, and Zoom announced no stream',
};

/** Why a stream was never recorded, in words, with Zoom's own numbers. */
export function missWords(data: EventData['session_missed']): string {
  const { reason, status, stopReason, stopReasonName } = data;
  const said = [
    ...(status === undefined ? [] : [`status ${status}`]),
    ...(stopReason === undefined ? [] : [stopReasonName ?? `stop reason ${stopReason}`]),
  ];
  // A later runner may know other reasons.
  const words: string = WORDS[reason] ?? reason;
  return said.length === 0 ? words : `${words} (${said.join(', ')})`;
}
