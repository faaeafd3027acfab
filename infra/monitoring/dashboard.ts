import { readFileSync } from 'node:fs';
import { Aws, CfnMapping, Duration, Stack } from 'aws-cdk-lib';
import {
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  type GraphWidgetProps,
  type IAlarm,
  type IWidget,
  Row,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { fromRoot } from '../bundling/bundle-options.ts';
import {
  capacityGraphs,
  healthRow,
  kinesisGraphs,
  latencyGraphs,
  meetingGraphs,
  meetingRow,
  throughputGraphs,
  webhookAndCostGraphs,
} from './dashboard-graphs.ts';
import type { Observed } from './on-call.ts';

/** A link into the repository, which a console cannot follow: only its text is shown. */
const RELATIVE_LINK = /\[([^\]]+)\]\((?!https:)[^)]+\)/g;

/** CloudWatch's grid: 24 columns. */
const WIDTH = 24;

/** Each partition's console; a link to another partition's asks for a login that the reader does not have. */
const CONSOLE_DOMAINS = {
  aws: 'console.aws.amazon.com',
  'aws-cn': 'console.amazonaws.cn',
  'aws-us-gov': 'console.amazonaws-us-gov.com',
} as const;

export interface DashboardProps {
  readonly observed: Observed;
  readonly alarms: readonly IAlarm[];
  /** Name of the dashboard in CloudWatch. */
  readonly name: string;
  /** Alarm texts link to this dashboard, so it shows the runbook below its graphs. */
  readonly showsRunbook: boolean;
}

/** One page, most urgent first: is every meeting recorded, how fast, how much, at what cost? */
export class Dashboard extends Construct {
  readonly dashboard: CloudWatchDashboard;

  constructor(
    scope: Construct,
    id: string,
    { observed, alarms, name, showsRunbook }: DashboardProps,
  ) {
    super(scope, id);
    this.dashboard = new CloudWatchDashboard(this, 'Dashboard', {
      dashboardName: name,
      defaultInterval: Duration.hours(3),
    });
    this.dashboard.addWidgets(new Row(...meetingRow(observed)));
    this.dashboard.addWidgets(new Row(...healthRow(observed, alarms)));
    this.#addSection('Meetings', meetingGraphs(observed));
    this.#addSection('Latency', latencyGraphs(observed));
    this.#addSection('Throughput', throughputGraphs(observed));
    this.#addSection('Kinesis', kinesisGraphs(observed));
    this.#addSection('Capacity', capacityGraphs(observed));
    this.#addSection('Webhook and cost', webhookAndCostGraphs(observed));
    if (showsRunbook) this.dashboard.addWidgets(...runbookRows());
  }

  #addSection(title: string, graphs: readonly GraphWidgetProps[]): void {
    this.dashboard.addWidgets(new TextWidget({ markdown: `## ${title}`, width: WIDTH, height: 1 }));
    const width = WIDTH / graphs.length;
    this.dashboard.addWidgets(
      new Row(...graphs.map((graph) => new GraphWidget({ height: 6, ...graph, width }))),
    );
  }
}

/** The runbook, one widget for each heading, so that whoever is woken needs no repository. */
function runbookRows(): IWidget[] {
  const text = readFileSync(fromRoot('docs/runbook.md'), 'utf8');
  const sections = text.split(/^(?=##? )/m).map((section) => section.trim());
  return sections.map(
    (markdown) =>
      new TextWidget({
        markdown: markdown.replaceAll(RELATIVE_LINK, '$1'),
        width: WIDTH,
        height: 8,
      }),
  );
}

/** Address of a CloudWatch dashboard of this stack's Region, in whichever partition the stack is deployed. */
export function dashboardUrl(scope: Construct, name: string): string {
  const { region } = Stack.of(scope);
  const mapping = new CfnMapping(scope, 'Console', {
    mapping: Object.fromEntries(
      Object.entries(CONSOLE_DOMAINS).map(([partition, domain]) => [partition, { domain }]),
    ),
  });
  const domain = mapping.findInMap(Aws.PARTITION, 'domain');
  return `https://${region}.${domain}/cloudwatch/home?region=${region}#dashboards/dashboard/${name}`;
}
