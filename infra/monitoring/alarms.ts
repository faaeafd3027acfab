import {
  Alarm,
  AlarmRule,
  AlarmState,
  ComparisonOperator,
  CompositeAlarm,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { Config } from '../config/schema.ts';
import type { AlarmSpec } from './alarm-spec.ts';
import { AlarmTopic } from './alarm-topic.ts';
import { kinesisAlarms } from './kinesis-alarms.ts';
import { meetingAlarms } from './meeting-alarms.ts';
import type { Observed } from './on-call.ts';
import { runnerAlarms } from './runner-alarms.ts';
import { webhookAlarms } from './webhook-alarms.ts';

/** The runbook's heading of the composite alarm, which no `AlarmSpec` describes. */
export const COMPOSITE_HEADING = 'Service degraded';

export interface AlarmsProps {
  readonly observed: Observed;
  readonly monitoring: Config['monitoring'];
  /** Address of the dashboard, which shows the runbook where `monitoring.runbookUrl` is unset. */
  readonly dashboardUrl: string;
  readonly topics: { readonly pages?: ITopic | undefined; readonly tickets?: ITopic | undefined };
  readonly encryptionKey?: IKey | undefined;
}

/**
 * An alarm for every way of failing. Each tells `tickets`. Those that mean that meetings suffer now also switch on the
 * one composite alarm, which tells `pages`: several alarms with one cause then wake somebody once.
 */
export class Alarms extends Construct {
  readonly pages: ITopic;
  readonly tickets: ITopic;
  readonly all: readonly Alarm[];
  readonly composite: CompositeAlarm;

  constructor(scope: Construct, id: string, props: AlarmsProps) {
    super(scope, id);
    const { observed, monitoring, topics, encryptionKey } = props;
    this.pages = new AlarmTopic(this, 'Pages', {
      displayName: `${observed.deployment}: meetings suffer`,
      subscribers: monitoring.pages,
      existing: topics.pages,
      encryptionKey,
    }).topic;
    this.tickets = new AlarmTopic(this, 'Tickets', {
      displayName: `${observed.deployment}: to be looked at`,
      subscribers: monitoring.tickets,
      existing: topics.tickets,
      encryptionKey,
      hasBudget: monitoring.monthlyBudget !== undefined,
    }).topic;
    const specs = [
      ...meetingAlarms(observed),
      ...webhookAlarms(observed),
      ...kinesisAlarms(observed),
      ...runnerAlarms(observed),
    ].filter(({ pages }) => pages || monitoring.alarms === 'all');
    const alarms = specs.map((spec) => ({ spec, alarm: this.#alarm(spec, props) }));
    this.all = alarms.map(({ alarm }) => alarm);
    this.composite = new CompositeAlarm(this, 'ServiceDegraded', {
      alarmDescription: describe(
        'Meetings suffer now: at least one alarm that pages is on.',
        COMPOSITE_HEADING,
        props,
      ),
      alarmRule: AlarmRule.anyOf(
        ...alarms
          .filter(({ spec }) => spec.pages)
          .map(({ alarm }) => AlarmRule.fromAlarm(alarm, AlarmState.ALARM)),
      ),
    });
    this.composite.addAlarmAction(new SnsAction(this.pages));
    this.composite.addOkAction(new SnsAction(this.pages));
  }

  #alarm(spec: AlarmSpec, props: AlarmsProps): Alarm {
    const alarm = new Alarm(this, spec.heading.replaceAll(/[^A-Za-z0-9]/g, ''), {
      alarmDescription: describe(spec.says, spec.heading, props),
      metric: spec.metric,
      comparisonOperator:
        spec.below === undefined
          ? ComparisonOperator.GREATER_THAN_THRESHOLD
          : ComparisonOperator.LESS_THAN_THRESHOLD,
      threshold: spec.below ?? spec.above,
      datapointsToAlarm: spec.minutes,
      evaluationPeriods: spec.outOfMinutes ?? spec.minutes,
      treatMissingData: spec.silenceIsBad
        ? TreatMissingData.BREACHING
        : TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(new SnsAction(this.tickets));
    return alarm;
  }
}

/** The fragment by which renderers of Markdown make a heading linkable. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
}

/** Text of an alarm: what is wrong, and an address to read on that works from an e-mail. */
function describe(
  says: string,
  heading: string,
  { monitoring, dashboardUrl }: AlarmsProps,
): string {
  const { runbookUrl } = monitoring;
  return runbookUrl === undefined
    ? `${says} Runbook, "${heading}", below the graphs of ${dashboardUrl}`
    : `${says} Runbook: ${runbookUrl}#${anchorOf(heading)}`;
}
