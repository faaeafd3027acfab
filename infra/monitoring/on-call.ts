import type { FargateService } from 'aws-cdk-lib/aws-ecs';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Config } from '../config/schema.ts';
import type { SessionCatcher } from '../runner/session-catcher.ts';
import type { RecordStreams } from '../storage/record-streams.ts';
import type { SyntheticMeeting } from '../synthetic-meeting.ts';
import type { Canary } from '../webhook/canary.ts';
import type { Webhook } from '../webhook/endpoint.ts';
import type { JobQueue } from '../webhook/job-queue.ts';
import { Alarms, type AlarmsProps } from './alarms.ts';
import { Dashboard, dashboardUrl } from './dashboard.ts';
import type { DeploymentMetrics } from './deployment-metrics.ts';
import { archiveAlarms, kinesisAlarms } from './kinesis-alarms.ts';
import { meetingAlarms } from './meeting-alarms.ts';
import { Queries } from './queries.ts';
import { runnerAlarms } from './runner-alarms.ts';
import { webhookAlarms } from './webhook-alarms.ts';

/** What alarms, dashboard and queries are made from. */
export interface Observed {
  /** The deployment's name, which its metrics and the names of its queries carry. */
  readonly deployment: string;
  readonly metrics: DeploymentMetrics;
  readonly webhook: Webhook;
  readonly jobs: JobQueue;
  readonly streams: RecordStreams;
  readonly service: FargateService;
  readonly catcher: SessionCatcher | undefined;
  /** No task runs while there is no meeting. */
  readonly runsWithoutTasks: boolean;
  readonly canary: Canary | undefined;
  readonly syntheticMeeting: SyntheticMeeting | undefined;
  /** Sessions are archived in S3. */
  readonly hasArchive: boolean;
  readonly logs: { readonly webhook: ILogGroup; readonly runner: ILogGroup };
}

export interface MonitoringProps extends Pick<AlarmsProps, 'topics' | 'encryptionKey'> {
  readonly observed: Observed;
  readonly monitoring: Config['monitoring'];
}

/** What the people on call have: alarms, dashboard, saved queries. */
export class Monitoring extends Construct {
  readonly alarms: Alarms;
  readonly dashboard: Dashboard;
  readonly dashboardUrl: string;

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    const { observed, monitoring, topics, encryptionKey } = props;
    this.dashboardUrl = dashboardUrl(this, observed.deployment);
    this.alarms = new Alarms(this, 'Alarms', {
      deployment: observed.deployment,
      specs: [
        ...meetingAlarms(observed),
        ...webhookAlarms(observed),
        ...kinesisAlarms(observed),
        ...runnerAlarms(observed),
        ...archiveAlarms(observed),
      ],
      monitoring,
      dashboardUrl: this.dashboardUrl,
      topics,
      encryptionKey,
    });
    this.dashboard = new Dashboard(this, 'Dashboard', {
      observed,
      alarms: [this.alarms.composite, ...this.alarms.all],
      name: observed.deployment,
      showsRunbook: monitoring.runbookUrl === undefined,
    });
    new Queries(this, 'Queries', observed);
  }
}
