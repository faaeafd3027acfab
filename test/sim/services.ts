import { LocalEcs } from '../../local/aws/ecs.ts';
import { AwsError, type AwsOperation } from '../../local/aws/router.ts';
import { LocalSecrets } from '../../local/aws/secrets-manager.ts';
import { Refusal, type Service } from './aws/aws.ts';
import { MemoryTable } from './aws/dynamodb.ts';
import { MemoryKinesis } from './aws/kinesis.ts';
import { MemoryQueue, sqsService } from './aws/sqs.ts';
import { zoomSecrets } from './fleet/environment.ts';
import type { Recorder } from './recorder.ts';
import type { Scheduler } from './world/scheduler.ts';

/** What the faults of a run turn on and off. */
export interface Weather {
  /** AWS calls fail at random. */
  awsFails: boolean;
  /** Kinesis takes nothing until then, true virtual Unix ms. */
  kinesisDownUntilMs: number;
  /** The most by which the index is behind, ms. */
  indexLagMs: number;
  /** How often a message of a queue is delivered to a second receiver, 0 to 1. */
  doubled: number;
}

export type Services = ReturnType<typeof createServices>;

const ECS = 'AmazonEC2ContainerServiceV20141113';
const OUTAGE_ERRORS = ['InternalFailure', 'ProvisionedThroughputExceededException'] as const;

/** The AWS of a run, with what infra would create in it. */
export function createServices(
  scheduler: Scheduler,
  recorder: Recorder,
  weather: Weather,
  random: () => number,
) {
  const nowMs = () => scheduler.nowMs;
  const after = (delayMs: number, run: () => void) => void scheduler.after(delayMs, undefined, run);
  const table = new MemoryTable({
    indexLagMs: () => 5 + random() * weather.indexLagMs,
    nowMs,
    after,
    applied: (call, what) => recorder.row(call, what),
  });
  const isDoubled = () => weather.doubled > 0 && random() < weather.doubled;
  const queue = (visibilityMs: number) =>
    new MemoryQueue({ visibilityMs, maxReceives: 5, nowMs, after, isDoubled });
  const queues = { jobs: queue(30_000), looks: queue(960_000) };
  const kinesis = new MemoryKinesis({
    nowMs,
    entryError() {
      if (nowMs() < weather.kinesisDownUntilMs) return OUTAGE_ERRORS[random() < 0.5 ? 0 : 1];
      return weather.awsFails && random() < 0.002 ? 'InternalFailure' : undefined;
    },
    stored: (call, entries) => recorder.stored(call, entries),
  });
  const [ecs, secrets] = [new LocalEcs(), new LocalSecrets()];
  for (const [id, value] of Object.entries(zoomSecrets())) secrets.put(id, value);
  const byName: Record<string, Service> = {
    DynamoDB_20120810: table.service,
    AmazonSQS: sqsService(queues),
    Kinesis_20131202: kinesis.service,
    [ECS]: fromLocal(ECS, ecs.operations()),
    secretsmanager: fromLocal('secretsmanager', secrets.operations()),
  };
  return { byName, table, queues, kinesis, ecs, secrets };
}

/** A service of the local stack, without its HTTP. */
function fromLocal(name: string, operations: ReadonlyMap<string, AwsOperation>): Service {
  return ({ operation, input }, reply) => {
    const run = operations.get(`${name}.${operation}`);
    if (run === undefined) throw new Error(`${name} has no ${operation}`);
    try {
      reply(run(input) as object);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      throw new Refusal(error.type, error.message);
    }
  };
}
