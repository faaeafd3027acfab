/** What microburst does to some of the calls of one operation. @see the rules in its README */
interface Fault {
  readonly probability: number;
  readonly error?: { readonly code: string; readonly status?: number };
  readonly reset?: boolean;
  readonly latency?: { readonly min: number; readonly max: number };
  readonly response?: { readonly abort_frac?: number; readonly truncate_frac?: number };
}

interface FaultRule extends Fault {
  readonly service: string;
  readonly operation: string;
}

const DYNAMODB: readonly Fault[] = [
  { probability: 0.05, error: { code: 'ProvisionedThroughputExceededException' } },
  { probability: 0.04, error: { code: 'InternalServerError', status: 500 } },
  { probability: 0.04, reset: true },
  { probability: 0.04, response: { abort_frac: 0.5 } },
  { probability: 0.05, latency: { min: 200, max: 1_500 } },
];
const SQS: readonly Fault[] = [
  { probability: 0.1, error: { code: 'ServiceUnavailable', status: 503 } },
  { probability: 0.05, error: { code: 'InternalError', status: 500 } },
  { probability: 0.05, reset: true },
  { probability: 0.1, response: { abort_frac: 0.3 } },
];
/**
 * Its header names the code `AWS.SimpleQueueService.RequestThrottled`, which no SDK knows as throttling; SQS writes it without the
 * prefix (functions/zoom-webhook/job-queue.test.ts). So this is a refusal that only the runners' own loops repeat.
 */
const REFUSAL: Fault = { probability: 0.1, error: { code: 'RequestThrottled' } };
const KINESIS: readonly Fault[] = [
  { probability: 0.08, error: { code: 'ProvisionedThroughputExceededException' } },
  { probability: 0.08, error: { code: 'InternalFailure', status: 500 } },
  { probability: 0.08, reset: true },
  { probability: 0.08, response: { abort_frac: 0.5 } },
  { probability: 0.04, response: { truncate_frac: 0.5 } },
  { probability: 0.1, latency: { min: 200, max: 2_000 } },
];

/** Zoom waits 3 s for an answer, so a call may not be held up for long. */
const QUICK = (faults: readonly Fault[]) => faults.filter(({ latency }) => latency === undefined);

const on = (service: string, operations: readonly string[], faults: readonly Fault[]) =>
  operations.flatMap((operation) =>
    faults.map((fault): FaultRule => ({ service, operation, ...fault })),
  );

/** Faults of every call that the webhook function and the claimer of `webhook-storm` make. */
export const STORM_FAULTS: readonly FaultRule[] = [
  ...on('dynamodb', ['GetItem', 'UpdateItem'], QUICK(DYNAMODB)),
  ...on('sqs', ['SendMessage', 'ReceiveMessage', 'DeleteMessage'], QUICK(SQS)),
];

const RUNNER_CALLS = ['SendMessage', 'ReceiveMessage', 'DeleteMessage', 'ChangeMessageVisibility'];

/** Faults of every call that a runner makes while it serves. Calls that only set a test up are left alone. */
export const RUNNER_FAULTS: readonly FaultRule[] = [
  ...on('dynamodb', ['GetItem', 'Query', 'PutItem', 'UpdateItem', 'DeleteItem'], DYNAMODB),
  ...on('sqs', RUNNER_CALLS, [REFUSAL, ...SQS]),
  ...on('kinesis', ['PutRecords'], KINESIS),
];
