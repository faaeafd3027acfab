import type { Message } from '@aws-sdk/client-sqs';
import type { Command } from 'commander';
import { ServiceError } from '../../shared/errors.ts';
import { decodeSessionJob } from '../../shared/session-job.ts';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import { endOf, stateOf } from '../../shared/session-table/session-status.ts';
import { layOut } from '../../shared/table.ts';
import { type Context, createCommand, type Flags, runCommand } from '../command.ts';
import { required } from '../deployment/deployment.ts';
import { JobQueues } from '../deployment/job-queues.ts';
import { EXIT, type ExitCode } from '../terminal/exit-code.ts';
import { formatDuration } from '../terminal/time.ts';

const MOST = 1_000;

interface RedriveFlags extends Flags {
  readonly send?: true;
  readonly discard?: true;
}

type Action = 'sent' | 'discarded' | 'kept';

interface DeadLetter {
  readonly message: Message;
  readonly rtmsStreamId?: string;
  readonly ageMs: number;
  /** Why the job was never finished, as far as the row tells. */
  readonly reason: string;
  /** Whether a new job would make a runner do something. */
  readonly useful: boolean;
}

export function redriveCommand(): Command {
  return createCommand('redrive', {
    summary: 'list dead jobs with their reasons, send them again',
    description:
      'Lists the dead-letter queue: every job that was received five times and never finished, and why. A job ' +
      'only says "look at this row", so the row tells whether the job is still of use. Without options ' +
      'nothing is changed. Exit code 1 while useful jobs are left in the queue.',
    examples: [
      'rtms redrive --local',
      'rtms redrive --send',
      'rtms redrive --send --discard --json',
    ],
  })
    .option('--send', 'send a new job for each session that still waits for a runner')
    .option(
      '--discard',
      'delete jobs of no use: of sessions that are served or over, and bodies that are no job',
    )
    .action((flags: RedriveFlags) => runCommand(flags, (context) => redrive(context, flags)));
}

async function redrive(context: Context, { send, discard }: RedriveFlags): Promise<ExitCode> {
  const { aws, deployment, output } = context;
  const queues = new JobQueues(aws.sqs, required(deployment, 'queueUrl'));
  const queueUrl = await queues.deadLetterQueueUrl();
  const messages = await queues.receiveAll(queueUrl, MOST);
  const letters = await Promise.all(messages.map((message) => read(context, message)));
  let left = 0;
  const rows: (Omit<DeadLetter, 'message'> & { messageId?: string | undefined; action: Action })[] =
    [];
  for (const letter of letters) {
    const { message, ...facts } = letter;
    const { rtmsStreamId, useful } = facts;
    let action: Action = 'kept';
    if (useful && send && rtmsStreamId !== undefined) {
      await queues.sendAgain(queueUrl, message, rtmsStreamId);
      action = 'sent';
    } else if (!useful && discard) {
      await queues.delete(queueUrl, message);
      action = 'discarded';
    } else {
      await queues.putBack(queueUrl, message);
      if (useful) left += 1;
    }
    rows.push({ messageId: message.MessageId, ...facts, action });
  }
  output.show({ queueUrl, jobs: rows }, (width) => {
    if (rows.length === 0) return 'the dead-letter queue is empty';
    return layOut(
      ['rtms_stream_id', 'age', 'reason', ''],
      rows.map((row) => [row.rtmsStreamId, formatDuration(row.ageMs), row.reason, row.action]),
      width,
    );
  });
  if (left > 0) output.note(`${left} of use: rtms redrive --send sends them again`);
  return left > 0 ? EXIT.FOUND : EXIT.OK;
}

async function read(context: Context, message: Message): Promise<DeadLetter> {
  const ageMs = Date.now() - Number(message.Attributes?.SentTimestamp ?? Date.now());
  const job = decodeSessionJob(message.Body ?? '');
  if (!job) return { message, ageMs, reason: 'the body is no job of ours', useful: false };
  const { rtmsStreamId } = job;
  const letter = { message, ageMs, rtmsStreamId };
  let row: SessionRow | undefined;
  try {
    row = await context.sessions().session(rtmsStreamId);
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== 'session/unreadable-row') throw error;
    return { ...letter, reason: 'its row cannot be read', useful: false };
  }
  if (!row) return { ...letter, reason: 'its row is gone', useful: false };
  switch (stateOf(row, Date.now())) {
    case 'serving':
      return { ...letter, reason: `served by ${row.owner} meanwhile`, useful: false };
    case 'ending':
      return { ...letter, reason: 'stopped by Zoom, and its runner is ending it', useful: false };
    case 'ended':
      return { ...letter, reason: `over (${endOf(row) ?? 'stopped'})`, useful: false };
    case 'waiting':
      return { ...letter, reason: 'still waits: no runner had room or lived', useful: true };
    case 'quarantined':
      return { ...letter, reason: 'quarantined: it has ended two runners', useful: true };
  }
}
