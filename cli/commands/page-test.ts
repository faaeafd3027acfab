import { GetTopicAttributesCommand, PublishCommand } from '@aws-sdk/client-sns';
import type { Command } from 'commander';
import { ServiceError } from '../../shared/errors.ts';
import { type Context, createCommand, type Flags, runCommand } from '../command.ts';
import { ask } from '../deployment/aws.ts';
import { EXIT, type ExitCode } from '../terminal/exit-code.ts';

interface PageTestFlags extends Flags {
  readonly text?: string;
}

export function pageTestCommand(): Command {
  return createCommand('page-test', {
    summary: 'send a test page: does it arrive?',
    description:
      'Sends a test to the topics of pages and tickets, and says how many subscriptions are confirmed. Somebody has to ' +
      'check that it arrived. It proves topic and subscriptions. To prove that CloudWatch may publish, use ' +
      '`aws cloudwatch set-alarm-state --state-value ALARM` on the composite alarm. Exit code 1 when a topic has no ' +
      'confirmed subscription.',
    examples: [
      'rtms page-test --config prod.json',
      'rtms page-test --pages-topic arn:aws:sns:eu-central-1:123456789012:Pages',
    ],
  })
    .option('--text <text>', 'text of the message', 'A test of rtms page-test. Nothing is wrong.')
    .action((flags: PageTestFlags) =>
      runCommand(flags, (context) => pageTest(context, flags.text ?? '')),
    );
}

async function pageTest(context: Context, text: string): Promise<ExitCode> {
  const { pagesTopic, ticketsTopic } = context.deployment;
  const topics = Object.entries({ pages: pagesTopic, tickets: ticketsTopic });
  const given = topics.filter((entry): entry is [string, string] => entry[1] !== undefined);
  if (given.length === 0) {
    throw new ServiceError(
      'config/invalid',
      'which topics? Give --pages-topic or --tickets-topic, set PAGES_TOPIC or TICKETS_TOPIC, or write ' +
        '"pagesTopicArn" and "ticketsTopicArn" into rtms.json',
    );
  }
  let exitCode: ExitCode = EXIT.OK;
  for (const [name, topicArn] of given) {
    const confirmed = await publish(context, name, topicArn, text);
    if (confirmed === 0) exitCode = EXIT.FOUND;
  }
  return exitCode;
}

/** @returns confirmed subscriptions */
async function publish(
  { aws, output }: Context,
  topic: string,
  topicArn: string,
  text: string,
): Promise<number> {
  const { Attributes } = await ask(`topic ${topicArn}`, () =>
    aws.sns.send(new GetTopicAttributesCommand({ TopicArn: topicArn })),
  );
  const confirmed = Number(Attributes?.['SubscriptionsConfirmed'] ?? 0);
  const pending = Number(Attributes?.['SubscriptionsPending'] ?? 0);
  const { MessageId: messageId } = await ask(`topic ${topicArn}`, () =>
    aws.sns.send(
      new PublishCommand({
        TopicArn: topicArn,
        Subject: `rtms page-test: ${topic}`,
        Message: text,
      }),
    ),
  );
  output.show({ topic, topicArn, messageId, confirmed, pending }, () => {
    const sent = `${topic.padEnd(8)} sent ${messageId} to ${confirmed} confirmed subscriptions`;
    const waiting = pending > 0 ? `, ${pending} not confirmed yet` : '';
    const fix = 'nobody gets it: add subscribers (monitoring in the stage, docs/deploy.md)';
    return confirmed > 0 ? `${sent}${waiting}` : [`${sent}${waiting}`, `         ${fix}`];
  });
  return confirmed;
}
