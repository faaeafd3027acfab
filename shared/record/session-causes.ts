/**
 * Why an owner gave a stream away: its task ends, a newer revision takes over, the catcher gives it to a task, somebody
 * asked for it, it met a defect of ours, or it could not connect where its predecessor could.
 */
export type HandOverCause =
  | 'shutdown'
  | 'revision'
  | 'packing'
  | 'caught'
  | 'operator'
  | 'defect'
  | 'unable';

/**
 * Why an epoch above 1 exists: the owner before gave the stream away, the owner before was lost, or Zoom started the
 * stream anew (or revoked it) after its end.
 */
export type TakeoverCause = 'handed_over' | 'owner_lost' | 'restarted';

/** Zoom will be asked for the stream again; or not, for want of credentials, or because it was asked often enough. */
export type RestartPlan = 'wanted' | 'no_credentials' | 'exhausted';

/**
 * - `requested`: Zoom agreed; a stream with `continues` follows
 * - `delayed`: it may agree later, at `nextAtMs`
 * - `refused`: it will not
 * - `unheard`: it agreed and no stream has come for 10 s; the next request is due at `nextAtMs`
 * - `canceled`: somebody has stopped the stream on purpose since its end
 * - `exhausted`: all tries or all of the time are used up
 */
export type RestartStep =
  | 'requested'
  | 'delayed'
  | 'refused'
  | 'unheard'
  | 'canceled'
  | 'exhausted';

/**
 * Why a stream that Zoom wanted to send was never recorded: one for each way in which a run of a stream can end before
 * media flowed.
 */
export const MISS_REASONS = [
  /** No address of the start is on an allowed host. */
  'address_refused',
  /** There is nothing to sign the handshake with: the secret does not name the app, or cannot be read. */
  'no_credentials',
  /** Zoom refused the handshake; `status` is its code. */
  'refused',
  /** Zoom did not let anybody in until its window had passed. */
  'not_connected',
  /** Zoom's webhook itself came when the window had passed. */
  'came_too_late',
  /** No runner had room in time. */
  'no_room',
  /** Zoom stopped the stream before a runner could connect; `stopReason` says why. */
  'stopped_first',
  /** Zoom stopped the stream before a runner could connect, because access was taken back. */
  'revoked',
  /** An operator ended it. */
  'operator_stop',
  /** A defect of ours ended the runners that tried. */
  'defect',
  /** Zoom said that the start failed (`rtms.start_failed`): there was no stream. */
  'start_failed',
  /** Zoom said that the account is at its limit (`rtms.concurrency_limited`): there was no stream. */
  'concurrency_limited',
  /** It is live at Zoom, and no webhook about a stream has come (`zoom.reconcile`). */
  'not_announced',
] as const;
export type MissReason = (typeof MISS_REASONS)[number];
