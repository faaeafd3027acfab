import { Construct } from 'constructs';
import type { Config } from '../config/schema.ts';
import { Alarms, type AlarmsProps } from './alarms.ts';
import { Dashboard, dashboardUrl } from './dashboard.ts';
import type { Observed } from './observed.ts';
import { Queries } from './queries.ts';

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
      observed,
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
