import { STOP_REASON, type StopReasonCode } from './constants.ts';

/** By stop reason: whether a new start through Zoom's API may bring the stream back. */
const RESTARTABLE: Readonly<Record<StopReasonCode, boolean>> = {
  [STOP_REASON.UNDEFINED]: false,
  [STOP_REASON.HOST_TRIGGERED]: false,
  [STOP_REASON.USER_TRIGGERED]: false,
  [STOP_REASON.USER_LEFT]: false,
  [STOP_REASON.USER_EJECTED]: false,
  [STOP_REASON.HOST_DISABLED_APP]: false,
  [STOP_REASON.MEETING_ENDED]: false,
  [STOP_REASON.STREAM_CANCELED]: false,
  [STOP_REASON.STREAM_REVOKED]: false,
  [STOP_REASON.ALL_APPS_DISABLED]: false,
  [STOP_REASON.INTERNAL_EXCEPTION]: true,
  [STOP_REASON.CONNECTION_TIMEOUT]: true,
  [STOP_REASON.INSTANCE_CONNECTION_INTERRUPTED]: true,
  [STOP_REASON.SIGNAL_CONNECTION_INTERRUPTED]: true,
  [STOP_REASON.DATA_CONNECTION_INTERRUPTED]: true,
  [STOP_REASON.SIGNAL_CONNECTION_CLOSED_ABNORMALLY]: true,
  [STOP_REASON.DATA_CONNECTION_CLOSED_ABNORMALLY]: true,
  [STOP_REASON.EXIT_SIGNAL]: true,
  [STOP_REASON.AUTHENTICATION_FAILURE]: true,
  [STOP_REASON.AWAIT_RECONNECTION_TIMEOUT]: true,
  [STOP_REASON.RECEIVER_REQUEST_CLOSE]: false,
  [STOP_REASON.CUSTOMER_DISCONNECTED]: false,
  [STOP_REASON.AGENT_DISCONNECTED]: false,
  [STOP_REASON.ADMIN_DISABLED_APP]: false,
  [STOP_REASON.KEEP_ALIVE_TIMEOUT]: true,
  [STOP_REASON.MANUAL_API_TRIGGERED]: false,
  [STOP_REASON.STREAMING_NOT_SUPPORTED]: false,
};

/** A reason that this version does not know counts as deliberate. */
export function isRestartable(stopReason: number): boolean {
  return (RESTARTABLE[stopReason as StopReasonCode] as boolean | undefined) ?? false;
}
