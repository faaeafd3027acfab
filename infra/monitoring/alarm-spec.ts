import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';

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
