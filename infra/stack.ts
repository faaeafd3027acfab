import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { ConfigInput } from './config/schema.ts';
import { RtmsKinesis } from './rtms-kinesis.ts';

export interface RtmsKinesisStackProps extends StackProps {
  readonly config: ConfigInput;
}

/** One stage: the service, and outputs that a deployer needs afterwards. */
export class RtmsKinesisStack extends Stack {
  readonly rtms: RtmsKinesis;

  constructor(scope: Construct, id: string, { config, ...props }: RtmsKinesisStackProps) {
    super(scope, id, { terminationProtection: config.terminationProtection ?? false, ...props });
    this.rtms = new RtmsKinesis(this, 'Rtms', { deployment: this.stackName, ...config });
    const { webhook, streams, secret, monitoring } = this.rtms;
    this.#output(
      'WebhookUrl',
      webhook.url,
      'The event notification endpoint URL to enter in the Zoom app',
    );
    this.#output(
      'ZoomSecretArn',
      secret.credentials.secretArn,
      'Secret to fill in: client ids and secrets of the Zoom apps',
    );
    this.#output(
      'WebhookSecretArn',
      secret.tokens.secretArn,
      'Secret to fill in: webhook secret tokens of the Zoom apps',
    );
    this.#output('MediaStreamName', streams.media.streamName, 'Stream of audio, video and share');
    this.#output('MediaStreamArn', streams.media.streamArn, 'Stream of audio, video and share');
    this.#output(
      'EventsStreamName',
      streams.events.streamName,
      'Stream of transcript, chat, events',
    );
    this.#output('EventsStreamArn', streams.events.streamArn, 'Stream of transcript, chat, events');
    this.#output('DashboardUrl', monitoring.dashboardUrl, 'The CloudWatch dashboard');
    this.#output(
      'PagesTopicArn',
      monitoring.alarms.pages.topicArn,
      'Topic that wakes somebody: meetings suffer',
    );
    this.#output(
      'TicketsTopicArn',
      monitoring.alarms.tickets.topicArn,
      'Topic of every alarm, for working hours',
    );
    this.#output(
      'RtmsJson',
      this.#rtmsJson(),
      'Contents of rtms.json, which the rtms command reads',
    );
    const { archive } = this.rtms;
    if (archive !== undefined)
      this.#output(
        'ArchiveUrl',
        archive.url,
        'Where recordings are archived: rtms export --archive',
      );
    if (webhook.domainTarget !== undefined) {
      this.#output(
        'WebhookDomainTarget',
        webhook.domainTarget,
        'Where the CNAME record of your domain points to',
      );
    }
  }

  #rtmsJson(): string {
    const { webhook, streams, secret, table, jobs, config, runners, monitoring, logs } = this.rtms;
    const syntheticLog = this.rtms.syntheticMeeting?.log;
    return this.toJsonString({
      deployment: this.rtms.deployment,
      region: this.region,
      table: table.table.tableName,
      queueUrl: jobs.queue.queueUrl,
      streams: { media: streams.media.streamName, events: streams.events.streamName },
      secretId: secret.credentials.secretArn,
      webhookSecretId: secret.tokens.secretArn,
      webhookUrl: webhook.url,
      allowedHosts: config.zoom.allowedHosts.join(','),
      deadLetterQueueUrl: jobs.deadLetters.queueUrl,
      logs: {
        webhook: logs.webhook.logGroupName,
        runner: logs.runner.logGroupName,
        access: logs.access.logGroupName,
        ...(syntheticLog && { synthetic: syntheticLog.logGroupName }),
        ...(this.rtms.archive && { archive: this.rtms.archive.log.logGroupName }),
      },
      cluster: runners.cluster.clusterName,
      service: runners.service.serviceName,
      ...(this.rtms.archive && { archive: this.rtms.archive.url }),
      pagesTopicArn: monitoring.alarms.pages.topicArn,
      ticketsTopicArn: monitoring.alarms.tickets.topicArn,
      pagesAlarm: monitoring.alarms.composite.alarmName,
    });
  }

  #output(id: string, value: string, description: string): void {
    new CfnOutput(this, id, { value, description });
  }
}
