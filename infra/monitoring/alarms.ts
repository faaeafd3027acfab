import {
  Alarm,
  AlarmRule,
  AlarmState,
  ComparisonOperator,
  CompositeAlarm,
  type IMetric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { Config } from '../config/schema.ts';
import { AlarmTopic } from './alarm-topic.ts';

type Threshold =
  | { readonly above: number; readonly below?: never }
  | { readonly below: number; readonly above?: never };

/** One alarm, before it is a resource. The files `*-alarms.ts` list them, one for each part of the dashboard. */
export type AlarmSpec = Threshold & {
  /** The alarm's name, which is also its heading in docs/runbook.md. */
  readonly heading: string;
  /** What is wrong, in a sentence or two for whoever is woken. */
  readonly says: string;
  readonly metric: IMetric;
  /** Bad periods of the metric until the alarm goes off; a period is one minute unless the metric says otherwise. */
  readonly minutes: number;
  /** How many periods the bad ones are counted in. @default `minutes`: the bad ones must follow each other */
  readonly outOfMinutes?: number;
  /** Meetings suffer now: part of the composite alarm, which wakes somebody. */
  readonly pages: boolean;
  /** A metric without data is itself the fault. */
  readonly silenceIsBad?: boolean;
};

/**
 * One occurrence within five minutes. A log line's metric can arrive minutes late, when its minute has already been
 * judged: an alarm that looked at the last minute alone would never see it.
 */
export const ONCE = { above: 0, minutes: 1, outOfMinutes: 5 } as const;

/** The runbook's heading of the composite alarm, which no `AlarmSpec` describes. */
export const COMPOSITE_HEADING = 'Service degraded';

export interface AlarmsProps {
  readonly deployment: string;
  /** Every alarm that there may be; `monitoring.alarms` says which of them are made. */
  readonly specs: readonly AlarmSpec[];
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
    const { deployment, monitoring, topics, encryptionKey } = props;
    this.pages = new AlarmTopic(this, 'Pages', {
      displayName: `${deployment}: meetings suffer`,
      subscribers: monitoring.pages,
      existing: topics.pages,
      encryptionKey,
    }).topic;
    this.tickets = new AlarmTopic(this, 'Tickets', {
      displayName: `${deployment}: to be looked at`,
      subscribers: monitoring.tickets,
      existing: topics.tickets,
      encryptionKey,
      hasBudget: monitoring.monthlyBudget !== undefined,
    }).topic;
    const specs = props.specs.filter(({ pages }) => pages || monitoring.alarms === 'all');
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
