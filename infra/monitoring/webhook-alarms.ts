import { type AlarmSpec, ONCE } from './alarm-spec.ts';
import type { Observed } from './observed.ts';

/** Share of the endpoint's throttle that counts as a flood. Zoom alone comes nowhere near it. */
const FLOOD_SHARE = 0.5;

/** The webhook: errors, delays and requests that are refused. */
export function webhookAlarms({ metrics, webhook, canary }: Observed): AlarmSpec[] {
  return [
    {
      heading: 'Webhook errors',
      says: 'The webhook answered 5xx: starts are not stored and Zoom is retrying.',
      metric: webhook.metricServerErrors(),
      above: 0,
      minutes: 2,
      outOfMinutes: 3,
      pages: true,
    },
    {
      heading: 'Webhook slow',
      says: 'The webhook p99 is above 2 s; Zoom gives up at 3 s.',
      metric: webhook.metricLatency('p99'),
      above: 2000,
      minutes: 3,
      outOfMinutes: 5,
      pages: true,
    },
    {
      heading: 'Webhook store failures',
      says: 'The webhook could not write the session row or send its job.',
      metric: metrics.of('WebhookStoreFailure', 'Sum'),
      above: 0,
      minutes: 2,
      outOfMinutes: 5,
      pages: false,
    },
    {
      heading: 'Webhook secret unavailable',
      says: 'The webhook has no token to verify with: every delivery is answered 503.',
      metric: metrics.of('WebhookSecretFailure', 'Sum'),
      above: 0,
      minutes: 2,
      outOfMinutes: 5,
      pages: false,
    },
    {
      heading: 'Webhook defects',
      says: 'The webhook failed by a bug of its own; the log has the stack.',
      metric: metrics.of('WebhookDefect', 'Sum'),
      ...ONCE,
      pages: false,
    },
    {
      heading: 'Webhook rows unreadable',
      says: 'The webhook could not read the row of a stream: what Zoom said of it was not stored.',
      metric: metrics.of('UnreadableRows', 'Sum', { service: 'webhook' }),
      ...ONCE,
      pages: false,
    },
    {
      heading: 'Webhook flooded',
      says: 'Requests reach half of what the webhook lets in. Above it Zoom is refused too, and does not repeat.',
      metric: webhook.metricRequests(),
      above: webhook.requestsPerSecond * 60 * FLOOD_SHARE,
      minutes: 2,
      outOfMinutes: 3,
      pages: true,
    },
    {
      heading: 'Webhook refusing',
      says: 'Most requests to the webhook are refused with 4xx: a wrong token or address, or somebody trying.',
      metric: webhook.metricRefusedPercent(),
      above: 50,
      minutes: 3,
      outOfMinutes: 5,
      pages: false,
    },
    {
      heading: 'Webhook signatures refused',
      says: 'Many webhooks carry a wrong signature: a rotated token, or somebody trying.',
      metric: metrics.of('WebhookSignatureFailure', 'Sum'),
      above: 10,
      minutes: 3,
      outOfMinutes: 5,
      pages: false,
    },
    ...(canary === undefined
      ? []
      : [
          {
            heading: 'Webhook canary failing',
            says: 'The canary got no valid answer from the webhook twice running (five-minute periods).',
            metric: canary.metricFailures(),
            above: 0,
            minutes: 2,
            pages: true,
          },
        ]),
  ];
}
