import type { EndReason } from '../../../rtms/events.ts';
import { STATUS_CODE } from '../../../rtms/protocol/constants.ts';
import { STOP_REASON } from '../../../rtms/protocol/stop-reason.ts';
import { RTMS_SDK_FAILURE, RTMS_SDK_OK, RTMS_SDK_TIMEOUT } from '../settings/constants.ts';

/** Argument of `onJoinConfirm` when a join failed; undefined when the program itself left before. */
export function joinFailure(end: EndReason): number | undefined {
  switch (end.cause) {
    case 'left':
    case 'closed':
      return undefined;
    case 'refused':
      return end.status || RTMS_SDK_FAILURE;
    case 'lost':
      return RTMS_SDK_TIMEOUT;
    case 'failed':
    case 'stopped':
      return RTMS_SDK_FAILURE;
  }
}

/** Argument of `onLeave`: Zoom's own stop reason, or the nearest one where Zoom gave none. */
export function leaveReason(end: EndReason): number {
  switch (end.cause) {
    case 'stopped':
      return end.stopReason ?? STOP_REASON.UNDEFINED;
    case 'closed':
      return STOP_REASON.RECEIVER_REQUEST_CLOSE;
    case 'lost':
      return STOP_REASON.AWAIT_RECONNECTION_TIMEOUT;
    case 'failed':
      return STOP_REASON.CONNECTION_TIMEOUT;
    case 'refused':
      return end.status === STATUS_CODE.INVALID_SIGNATURE
        ? STOP_REASON.AUTHENTICATION_FAILURE
        : STOP_REASON.INTERNAL_EXCEPTION;
    case 'left':
      return RTMS_SDK_OK;
  }
}
