import {
  Alarm,
  AlarmRule,
  AlarmState,
  ComparisonOperator,
  CompositeAlarm,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { type AlarmSpec, alarmSpecs } from './alarm-specs.ts';
import type { Config } from './config.ts';
import type { Observed } from './observed.ts';

/** The runbook's headings for what is not one of `alarmSpecs`. */
export const COMPOSITE_HEADING = 'Service degraded';

export interface AlarmsProps {
  readonly observed: Observed;
  readonly monitoring: Config['monitoring'];
}

/** An alarm for every way of failing, and one composite alarm that pages. */
export class Alarms extends Construct {
  readonly topic: Topic;
  readonly all: readonly Alarm[];
  readonly composite: CompositeAlarm;

  constructor(scope: Construct, id: string, { observed, monitoring }: AlarmsProps) {
    super(scope, id);
    const specs = alarmSpecs(observed);
    const alarms = specs.map((spec) => ({ spec, alarm: this.#alarm(spec, monitoring.runbookUrl) }));
    this.all = alarms.map(({ alarm }) => alarm);
    this.topic = new Topic(this, 'Pages', { displayName: 'RTMS to Kinesis', enforceSSL: true });
    for (const email of monitoring.emails) this.topic.addSubscription(new EmailSubscription(email));
    this.composite = new CompositeAlarm(this, 'ServiceDegraded', {
      alarmDescription: describe(
        'At least one alarm that affects meetings now is on.',
        monitoring.runbookUrl,
        COMPOSITE_HEADING,
      ),
      alarmRule: AlarmRule.anyOf(
        ...alarms
          .filter(({ spec }) => spec.pages)
          .map(({ alarm }) => AlarmRule.fromAlarm(alarm, AlarmState.ALARM)),
      ),
    });
    this.composite.addAlarmAction(new SnsAction(this.topic));
    this.composite.addOkAction(new SnsAction(this.topic));
  }

  #alarm(spec: AlarmSpec, runbookUrl: string): Alarm {
    return new Alarm(this, spec.heading.replaceAll(/[^A-Za-z0-9]/g, ''), {
      alarmDescription: describe(spec.says, runbookUrl, spec.heading),
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
  }
}

/** The fragment that Markdown renderers give a heading. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
}

function describe(says: string, runbookUrl: string, heading: string): string {
  return `${says} Runbook: ${runbookUrl}#${anchorOf(heading)}`;
}
