/**
 * Every error this project raises on purpose, in one closed table.
 *
 * `retryable` is what loops read (the same call may succeed later); `statusCode` is what the webhook
 * answers when the error reaches its edge.
 */
const ERROR_CODES = {
  'config/invalid': { retryable: false, statusCode: 500 },
  'webhook/too-large': { retryable: false, statusCode: 413 },
  'webhook/too-slow': { retryable: true, statusCode: 408 },
  'webhook/bad-signature': { retryable: false, statusCode: 401 },
  'webhook/stale': { retryable: false, statusCode: 401 },
  'webhook/malformed': { retryable: false, statusCode: 400 },
  'webhook/not-found': { retryable: false, statusCode: 404 },
  'webhook/refused-host': { retryable: false, statusCode: 400 },
  'webhook/method-not-allowed': { retryable: false, statusCode: 405 },
  'webhook/unsupported-media-type': { retryable: false, statusCode: 415 },
  'webhook/wrong-app': { retryable: false, statusCode: 400 },
  'webhook/secret-unavailable': { retryable: true, statusCode: 503 },
  'webhook/store-failed': { retryable: true, statusCode: 503 },
  'webhook/defect': { retryable: false, statusCode: 500 },
  'webhook/canary-failed': { retryable: true, statusCode: 502 },
  'rtms/malformed-message': { retryable: false, statusCode: 502 },
  'rtms/message-too-large': { retryable: false, statusCode: 502 },
  'rtms/invalid-params': { retryable: false, statusCode: 400 },
  'rtms/refused-host': { retryable: false, statusCode: 400 },
  'rtms/connect-failed': { retryable: true, statusCode: 502 },
  'rtms/connection-lost': { retryable: true, statusCode: 502 },
  'rtms/early-media': { retryable: false, statusCode: 502 },
  'rtms/invalid-state': { retryable: false, statusCode: 409 },
  'record/malformed': { retryable: false, statusCode: 502 },
  'record/bad-index': { retryable: false, statusCode: 502 },
  'record/bad-checksum': { retryable: false, statusCode: 502 },
  'kinesis/record-too-large': { retryable: false, statusCode: 413 },
  'kinesis/throttled': { retryable: true, statusCode: 503 },
  'kinesis/write-failed': { retryable: true, statusCode: 503 },
  'kinesis/read-failed': { retryable: true, statusCode: 503 },
  'kinesis/read-refused': { retryable: false, statusCode: 500 },
  'kinesis/trimmed': { retryable: false, statusCode: 410 },
  'kinesis/stream-unfit': { retryable: false, statusCode: 500 },
  'kinesis/stream-missing': { retryable: false, statusCode: 500 },
  'kinesis/access-denied': { retryable: false, statusCode: 500 },
  'kinesis/spool-corrupt': { retryable: false, statusCode: 500 },
  'group/table-failed': { retryable: true, statusCode: 503 },
  'group/table-refused': { retryable: false, statusCode: 500 },
  'group/other-stream': { retryable: false, statusCode: 409 },
  'group/stream-recreated': { retryable: false, statusCode: 409 },
  'group/worker-id-taken': { retryable: false, statusCode: 409 },
  'group/not-owner': { retryable: false, statusCode: 409 },
  'archive/store-failed': { retryable: true, statusCode: 503 },
  'archive/store-refused': { retryable: false, statusCode: 500 },
  'archive/damaged': { retryable: false, statusCode: 502 },
  'archive/not-found': { retryable: false, statusCode: 404 },
  'export/unsupported': { retryable: false, statusCode: 500 },
  'export/other-meeting': { retryable: false, statusCode: 409 },
  'export/revoked': { retryable: false, statusCode: 410 },
  'ecs/metadata-unavailable': { retryable: true, statusCode: 503 },
  'session/store-failed': { retryable: true, statusCode: 503 },
  'session/store-refused': { retryable: false, statusCode: 500 },
  'session/unreadable-row': { retryable: false, statusCode: 500 },
  'session/not-owner': { retryable: false, statusCode: 409 },
  'local/port-in-use': { retryable: false, statusCode: 500 },
  'cli/unreachable': { retryable: true, statusCode: 503 },
  'cli/not-found': { retryable: false, statusCode: 404 },
  'cli/ambiguous': { retryable: false, statusCode: 409 },
  'cli/refused': { retryable: false, statusCode: 409 },
  'mcp/bad-argument': { retryable: false, statusCode: 400 },
  'mcp/sdk-missing': { retryable: false, statusCode: 500 },
} as const satisfies Record<string, { retryable: boolean; statusCode: number }>;

/** What went wrong, as `<part>/<fault>`. Programs decide by it; the message is for people. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** Loggable facts only: ids, numbers, names of fields; never media, names of people, secrets or payloads. */
export type ErrorDetail = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/**
 * Every error that this project raises on purpose. `retryable`: the same call may succeed later. `statusCode`: what the webhook
 * answers with. `detail`: facts that may be logged.
 */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly statusCode: number;
  readonly detail: ErrorDetail;

  /** @param what what happened, in words; the message reads `[code] what` */
  constructor(
    code: ErrorCode,
    what: string,
    options: { cause?: unknown; detail?: ErrorDetail } = {},
  ) {
    super(`[${code}] ${what}`, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.retryable = ERROR_CODES[code].retryable;
    this.statusCode = ERROR_CODES[code].statusCode;
    this.detail = options.detail ?? {};
  }
}
