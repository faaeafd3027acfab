import { type AlarmSpec, ONCE } from './alarm-spec.ts';
import type { Observed } from './observed.ts';

/** Runners: missing, full, lost or unwell. */
export function runnerAlarms({ metrics, service }: Observed): AlarmSpec[] {
  return [
    {
      heading: 'No runners',
      says: 'No runner has reported for three minutes.',
      metric: metrics.of('SlotsTotal', 'SampleCount'),
      below: 1,
      minutes: 3,
      pages: true,
      silenceIsBad: true,
    },
    {
      heading: 'Slots running out',
      says: 'Runners are more than 85 % full: scaling does not keep up, or has reached maxTasks.',
      metric: metrics.of('SlotUtilization', 'Average'),
      above: 85,
      minutes: 3,
      pages: false,
    },
    {
      heading: 'Runner lost',
      says: 'Sessions were taken over from a runner that died or was cut off.',
      metric: metrics.of('Takeovers', 'Sum', { by: 'owner_lost' }),
      ...ONCE,
      pages: false,
    },
    {
      heading: 'Runner fenced',
      says: 'A runner could not renew its heartbeat and stopped writing; dropped after 40 s.',
      metric: metrics.of('FencedByHeartbeat', 'Sum'),
      ...ONCE,
      pages: true,
    },
    {
      heading: 'Drain slow',
      says: 'A runner needed more than 100 s to hand over; ECS kills it at 120 s.',
      metric: metrics.of('DrainDuration', 'Maximum'),
      above: 100_000,
      minutes: 1,
      outOfMinutes: ONCE.outOfMinutes,
      pages: false,
    },
    {
      heading: 'Task protection failing',
      says: 'ECS refuses scale-in protection: tasks with sessions may be stopped.',
      metric: metrics.of('ProtectionFailures', 'Sum'),
      above: 0,
      minutes: 5,
      outOfMinutes: 10,
      pages: false,
    },
    {
      heading: 'Event loop blocked',
      says: 'The event-loop delay p99 is above 200 ms: keep alives and flushes are late.',
      metric: metrics.of('EventLoopDelay', 'p99'),
      above: 200,
      minutes: 3,
      outOfMinutes: 5,
      pages: false,
    },
    {
      heading: 'Session defects',
      says: 'A bug ended a session, or nearly the task; the log has the stack.',
      metric: metrics.of('SessionDefects', 'Sum'),
      ...ONCE,
      pages: false,
    },
    {
      heading: 'Sessions overloading',
      says: 'A session took more than its share of the event loop and was ended.',
      metric: metrics.of('SessionsOverloading', 'Sum'),
      ...ONCE,
      pages: false,
    },
    {
      heading: 'Runner memory high',
      says: 'A runner uses more than 85 % of its memory.',
      metric: service.metricMemoryUtilization({ statistic: 'Maximum' }),
      above: 85,
      minutes: 1,
      outOfMinutes: ONCE.outOfMinutes,
      pages: false,
    },
  ];
}
