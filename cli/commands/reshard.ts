import { setTimeout as sleep } from 'node:timers/promises';
import {
  DescribeStreamSummaryCommand,
  type StreamDescriptionSummary,
  UpdateShardCountCommand,
  UpdateStreamModeCommand,
} from '@aws-sdk/client-kinesis';
import type { Command } from 'commander';
import { ServiceError } from '../../shared/errors.ts';
import { type Context, createCommand, type Flags, runCommand } from '../command.ts';
import { ask } from '../deployment/aws.ts';
import { required } from '../deployment/deployment.ts';
import { EXIT, type ExitCode } from '../terminal/exit-code.ts';

const LOOK_MS = 2_000;

interface ReshardFlags extends Flags {
  readonly shards: string;
  readonly provisioned?: true;
  readonly dryRun?: true;
}

export function reshardCommand(): Command {
  return createCommand('reshard', {
    summary: 'change the number of shards, step by step',
    description:
      'Brings a stream to a number of shards in steps that Kinesis allows (at most double, at least half) and waits for ' +
      'each. Runners and consumers go on meanwhile, and the order within a key is kept. With --provisioned an on-demand ' +
      'stream is made provisioned first, which Kinesis allows twice a day. CloudFormation does one such step in a ' +
      'deployment: run this first, then set `records.capacity.meetings` of the stage so that it gives the same number, ' +
      'and deploy.',
    examples: [
      'rtms reshard media --shards 64 --config prod.json --dry-run',
      'rtms reshard media --shards 64 --provisioned --config prod.json',
    ],
  })
    .argument('<stream>', 'media or events')
    .requiredOption('--shards <count>', 'open shards to end with, 1 to 10000')
    .option('--provisioned', 'make an on-demand stream provisioned first')
    .option('--dry-run', 'print the steps and change nothing')
    .action((stream: string, flags: ReshardFlags) =>
      runCommand(flags, (context) => reshard(context, stream, flags)),
    );
}

async function reshard(context: Context, stream: string, flags: ReshardFlags): Promise<ExitCode> {
  const { output, deployment } = context;
  if (stream !== 'media' && stream !== 'events') {
    throw new ServiceError('config/invalid', `the stream is media or events, not "${stream}"`);
  }
  const target = Number(flags.shards);
  if (!Number.isInteger(target) || target < 1 || target > 10_000) {
    throw new ServiceError('config/invalid', `--shards is 1 to 10000, not "${flags.shards}"`);
  }
  const streamName = required(deployment, stream === 'media' ? 'mediaStream' : 'eventsStream');
  const summary = await active(context, streamName);
  const isOnDemand = summary.StreamModeDetails?.StreamMode === 'ON_DEMAND';
  if (isOnDemand && !flags.provisioned) {
    throw new ServiceError(
      'cli/refused',
      `${streamName} is on-demand and chooses its shards itself; --provisioned makes it provisioned first`,
    );
  }
  const current = summary.OpenShardCount ?? 1;
  const steps = reshardSteps(current, target);
  const plan = { streamName, current, target, steps, onDemand: isOnDemand };
  output.show(plan, () => planLines(plan));
  if (!fitsADay(steps)) {
    throw new ServiceError(
      'cli/refused',
      'this takes more than ten steps, and Kinesis allows ten in 24 hours',
    );
  }
  if (flags.dryRun) return EXIT.OK;
  if (isOnDemand) await makeProvisioned(context, streamName, summary.StreamARN);
  for (const count of steps) {
    if (context.signal.aborted) return EXIT.INTERRUPTED;
    await update(context, streamName, count);
    output.show({ streamName, shards: count }, () => `${streamName}: ${count} shards`);
  }
  return EXIT.OK;
}

function planLines(plan: {
  streamName: string;
  current: number;
  steps: readonly number[];
  onDemand: boolean;
}): string[] {
  const { streamName, current, steps, onDemand } = plan;
  const mode = onDemand ? ' (on-demand, becomes provisioned)' : '';
  if (steps.length === 0) return [`${streamName}${mode} has ${current} shards already`];
  return [`${streamName}${mode}: ${[current, ...steps].join(' → ')} shards`];
}

async function makeProvisioned(context: Context, streamName: string, StreamARN?: string) {
  await ask(`stream ${streamName}`, () =>
    context.aws.kinesis.send(
      new UpdateStreamModeCommand({ StreamARN, StreamModeDetails: { StreamMode: 'PROVISIONED' } }),
    ),
  );
  await active(context, streamName);
}

async function update(context: Context, streamName: string, count: number): Promise<void> {
  await ask(`stream ${streamName}`, () =>
    context.aws.kinesis.send(
      new UpdateShardCountCommand({
        StreamName: streamName,
        TargetShardCount: count,
        ScalingType: 'UNIFORM_SCALING',
      }),
    ),
  );
  await active(context, streamName);
}

/** Waits until the stream is ACTIVE, because Kinesis refuses changes before. */
async function active(
  { aws, signal }: Context,
  streamName: string,
): Promise<StreamDescriptionSummary> {
  for (;;) {
    const { StreamDescriptionSummary: summary } = await ask(`stream ${streamName}`, () =>
      aws.kinesis.send(new DescribeStreamSummaryCommand({ StreamName: streamName })),
    );
    if (summary?.StreamStatus === 'ACTIVE') return summary;
    await sleep(LOOK_MS, undefined, { signal });
  }
}

/** How many UpdateShardCount calls Kinesis allows for a stream in 24 hours. */
const CALLS_A_DAY = 10;

/**
 * Plans the shard counts from `current` to `target`, each at most double and at least half of the one before, as one
 * UpdateShardCount call allows.
 *
 * @see https://docs.aws.amazon.com/kinesis/latest/APIReference/API_UpdateShardCount.html (read 2026-11-27)
 * @returns no step when the stream has that many shards already
 */
export function reshardSteps(current: number, target: number): readonly number[] {
  const steps: number[] = [];
  for (let count = current; count !== target; ) {
    const next =
      target > count ? Math.min(target, count * 2) : Math.max(target, Math.ceil(count / 2));
    steps.push(next);
    count = next;
  }
  return steps;
}

/** Whether Kinesis allows all these steps within 24 hours. */
export const fitsADay = (steps: readonly number[]): boolean => steps.length <= CALLS_A_DAY;
