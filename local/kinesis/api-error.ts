/** HTTP status of every error that this server answers, by its AWS `__type`. */
const STATUS = {
  AccessDeniedException: 400,
  ExpiredIteratorException: 400,
  ExpiredNextTokenException: 400,
  InternalFailure: 500,
  InvalidArgumentException: 400,
  KMSThrottlingException: 400,
  LimitExceededException: 400,
  ProvisionedThroughputExceededException: 400,
  RequestEntityTooLargeException: 413,
  ResourceInUseException: 400,
  ResourceNotFoundException: 400,
  SerializationException: 400,
  ServiceUnavailable: 503,
  ThrottlingException: 400,
  UnknownOperationException: 400,
  ValidationException: 400,
} as const satisfies Record<string, number>;

export type ApiErrorName = keyof typeof STATUS;

export const API_ERROR_NAMES = Object.keys(STATUS) as ApiErrorName[];

/** The two codes that an entry of a PutRecords answer can have (API reference of PutRecordsResultEntry). */
export const ENTRY_ERROR_NAMES = [
  'ProvisionedThroughputExceededException',
  'InternalFailure',
] as const satisfies ApiErrorName[];

export type EntryErrorName = (typeof ENTRY_ERROR_NAMES)[number];

/** Thrown by an operation; server.ts answers it as `{"__type": name, "message": message}`. */
export class ApiError extends Error {
  override readonly name: ApiErrorName;

  constructor(name: ApiErrorName, message: string) {
    super(message);
    this.name = name;
  }

  get status(): number {
    return STATUS[this.name];
  }
}
