import { Construct } from 'constructs';
import { Alarms } from './alarms.ts';
import type { Config } from './config.ts';
import { Dashboard } from './dashboard.ts';
import type { Observed } from './observed.ts';
import { Queries } from './queries.ts';

export interface MonitoringProps {
  readonly observed: Observed;
  readonly monitoring: Config['monitoring'];
  readonly dashboardName: string;
}

/** Everything for the people on call: alarms, dashboard, saved queries. */
export class Monitoring extends Construct {
  readonly alarms: Alarms;
  readonly dashboard: Dashboard;

  constructor(scope: Construct, id: string, props: MonitoringProps) {
    super(scope, id);
    const { observed, monitoring, dashboardName } = props;
    this.alarms = new Alarms(this, 'Alarms', { observed, monitoring });
    this.dashboard = new Dashboard(this, 'Dashboard', {
      observed,
      alarms: [this.alarms.composite, ...this.alarms.all],
      name: dashboardName,
    });
    new Queries(this, 'Queries', observed);
  }
}
