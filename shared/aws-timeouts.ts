/** How long one try of one AWS call may take, ms. */
export interface AwsTimeouts {
  readonly connectMs: number;
  readonly answerMs: number;
}

/**
 * Options for the SDK's HTTP handler. Without `throwOnRequestTimeout` the SDK only logs a warning when an answer is
 * late and waits on, so that a server which hangs would hang its caller.
 */
export function httpHandlerOptions({ connectMs, answerMs }: AwsTimeouts) {
  return {
    connectionTimeout: connectMs,
    requestTimeout: answerMs,
    throwOnRequestTimeout: true,
  } as const;
}
