import { type AlarmSpec, ONCE } from './alarms.ts';
import type { Observed } from './on-call.ts';

/** Share of the endpoint's throttle that counts as a flood. Zoom alone comes nowhere near it. */
const FLOOD_SHARE = 0.5;

/** Alarms about errors, delays and refused requests of the webhook. */
export function webhookAlarms({ metrics, webhook, canary }: Observed): AlarmSpec[] {
  return [
    {
      heading: 'Webhook errors',
      says: 'The webhook answers 5xx: starts are not stored until Zoom sends them again.',
      metric: webhook.metricServerErrors(),
      above: 0,
      minutes: 2,
      outOfMinutes: 3,
      pages: true,
    },
    {
      heading: 'Webhook slow',
      says: 'The webhook answers later than 2 s at p99. Zoom waits for 3 s and then sends the event again.',
      metric: webhook.metricLatency('p99'),
      above: 2000,
      minutes: 3,
      outOfMinutes: 5,
      pages: true,
    },
    {
      heading: 'Webhook store failures',
      says: 'The webhook could not write a session row or send its job.',
      metric: metrics.of('WebhookStoreFailure', 'Sum'),
      above: 0,
      minutes: 2,
      outOfMinutes: 5,
      pages: false,
    },
    {
      heading: 'Webhook secret unavailable',
      says: 'The webhook could not read its secret tokens: it answers 503 where it has none yet.',
      metric: metrics.of('WebhookSecretFailure', 'Sum'),
      above: 0,
      minutes: 2,
      outOfMinutes: 5,
      pages: false,
    },
    {
      heading: 'Webhook defects',
      says: 'A bug in the webhook failed a delivery; the log has the stack.',
      metric: metrics.of('WebhookDefect', 'Sum'),
      ...ONCE,
      pages: false,
    },
    {
      heading: 'Webhook rows unreadable',
      says: 'The webhook could not read the row of a stream, so it did not store what Zoom said of that stream.',
      metric: metrics.of('UnreadableRows', 'Sum', { service: 'webhook' }),
      ...ONCE,
      pages: false,
    },
    {
      heading: 'Webhook flooded',
      says: 'Requests reach half of the webhook throttle. Above the whole of it Zoom is refused too, and does not repeat.',
      metric: webhook.metricRequests(),
      above: webhook.requestsPerSecond * 60 * FLOOD_SHARE,
      minutes: 2,
      outOfMinutes: 3,
      pages: true,
    },
    {
      heading: 'Webhook refusing',
      says: 'Most requests to the webhook are refused with 4xx: a wrong token or path, or strangers.',
      metric: webhook.metricRefusedPercent(),
      above: 50,
      minutes: 3,
      outOfMinutes: 5,
      pages: false,
    },
    {
      heading: 'Webhook signatures refused',
      says: 'Many webhooks carry a wrong signature: a token that was changed at Zoom only, or strangers.',
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
            says: 'For ten minutes the canary got no correct answer from the webhook.',
            metric: canary.metricFailures(),
            above: 0,
            minutes: 2,
            pages: true,
          },
        ]),
  ];
}
