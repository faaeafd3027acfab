import type { FargateService } from 'aws-cdk-lib/aws-ecs';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { SessionCatcher } from '../runner/session-catcher.ts';
import type { RecordStreams } from '../storage/record-streams.ts';
import type { SyntheticMeeting } from '../synthetic-meeting.ts';
import type { Canary } from '../webhook/canary.ts';
import type { Webhook } from '../webhook/endpoint.ts';
import type { JobQueue } from '../webhook/job-queue.ts';
import type { DeploymentMetrics } from './deployment-metrics.ts';

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
  readonly logs: { readonly webhook: ILogGroup; readonly runner: ILogGroup };
}
