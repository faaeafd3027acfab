import * as v from 'valibot';
import { count, textLike } from './field-kinds.ts';

const EMAIL = textLike(/^[^\s@]+@[^\s@]+\.[^\s@]+$/, 'an e-mail address');
const HTTPS = textLike(/^https:\/\/[^\s/]+/, 'an https:// address');

/** An address, or `{ email }` or `{ https }` where the address is a token. */
const SUBSCRIBER = v.pipe(
  v.union([
    v.pipe(v.string(), v.regex(/^(https:\/\/[^\s/]+.*|[^\s@:/]+@[^\s@]+\.[^\s@]+)$/)),
    v.strictObject({ email: EMAIL, https: v.optional(v.undefined()) }),
    v.strictObject({ https: HTTPS, email: v.optional(v.undefined()) }),
  ]),
  v.description(
    'an e-mail address or an https:// address; { email: … } or { https: … } for a token',
  ),
);

/** One address of `monitoring.pages` or `monitoring.tickets`. */
export type Subscriber = v.InferOutput<typeof SUBSCRIBER>;

/** The `monitoring` section: who is told of what, and what else watches the deployment. */
export const MONITORING = v.strictObject({
  /** Who is woken when meetings suffer: told when the composite alarm changes. */
  pages: v.optional(v.array(SUBSCRIBER), []),
  /** Who looks at it in working hours: told of every single alarm, including those that page. */
  tickets: v.optional(v.array(SUBSCRIBER), []),
  /** `essential`: only alarms for lost meetings or media, for deployments that nobody is on call for. */
  alarms: v.optional(v.picklist(['all', 'essential']), 'all'),
  /**
   * A small task of its own that plays a meeting through the deployment every hour and after each release, and an alarm
   * when not all of it arrives: docs/synthetic-meeting.md.
   */
  syntheticMeeting: v.optional(v.boolean(), false),
  /** ECS's own metrics of clusters, services and tasks; our alarms and dashboard do not need them. */
  containerInsights: v.optional(v.boolean(), true),
  /** Where `docs/runbook.md` can be read; alarm texts link to its headings. Unset: they link to the dashboard. */
  runbookUrl: v.optional(HTTPS),
  /** Dollars a month. AWS Budgets tells `tickets` when 80 % of it is spent, and when the forecast exceeds it. */
  monthlyBudget: v.optional(count),
});
