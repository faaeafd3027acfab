import { type AlarmSpec, ONCE } from './alarms.ts';
import type { Observed } from './on-call.ts';

/** Alarms about runners that are missing, full, lost or overloaded. */
export function runnerAlarms(observed: Observed): AlarmSpec[] {
  const { metrics, service, runsWithoutTasks } = observed;
  return [
    ...catcherAlarms(observed),
    ...(runsWithoutTasks ? [] : [noRunners(observed)]),
    {
      heading: 'Slots running out',
      says: 'More than 85 % of all slots are used: scaling does not keep up, or has reached maxTasks.',
      metric: metrics.of('SlotUtilization', 'Average'),
      above: 85,
      minutes: 3,
      pages: false,
    },
    {
      heading: 'Runner lost',
      says: 'Sessions were taken over from a runner that died or lost its connection to DynamoDB.',
      metric: metrics.of('Takeovers', 'Sum', { by: 'owner_lost' }),
      ...ONCE,
      pages: false,
    },
    {
      heading: 'Runner fenced',
      says: 'A runner could not renew its heartbeat and stopped writing. Its sessions end when that lasts 40 s.',
      metric: metrics.of('FencedByHeartbeat', 'Sum'),
      ...ONCE,
      pages: true,
    },
    {
      heading: 'Drain slow',
      says: 'A runner needed more than 100 s to hand its sessions over; ECS kills it at 120 s.',
      metric: metrics.of('DrainDuration', 'Maximum'),
      above: 100_000,
      minutes: 1,
      outOfMinutes: ONCE.outOfMinutes,
      pages: false,
    },
    {
      heading: 'Task protection failing',
      says: 'ECS refuses scale-in protection, so scaling may stop tasks that hold sessions.',
      metric: metrics.of('ProtectionFailures', 'Sum'),
      above: 0,
      minutes: 5,
      outOfMinutes: 10,
      pages: false,
    },
    {
      heading: 'Event loop blocked',
      says: 'The event loop is late by more than 200 ms at p99: keep-alives and flushes are late.',
      metric: metrics.of('EventLoopDelay', 'p99'),
      above: 200,
      minutes: 3,
      outOfMinutes: 5,
      pages: false,
    },
    {
      heading: 'Session defects',
      says: 'A bug was caught in a runner and may have ended a session; the log has the stack.',
      metric: metrics.of('SessionDefects', 'Sum'),
      ...ONCE,
      pages: false,
    },
    {
      heading: 'Sessions overloading',
      says: 'A session took more than its share of the event loop, so the runner ended it.',
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

function noRunners({ metrics }: Observed): AlarmSpec {
  return {
    heading: 'No runners',
    says: 'No runner has reported for three minutes.',
    metric: metrics.of('SlotsTotal', 'SampleCount'),
    below: 1,
    minutes: 3,
    pages: true,
    silenceIsBad: true,
  };
}

function catcherAlarms({ catcher }: Observed): AlarmSpec[] {
  if (catcher === undefined) return [];
  return [
    {
      heading: 'Catcher without concurrency',
      says: 'Lambda has no execution for the catcher: streams that no task has room for wait, and lose their first minutes.',
      metric: catcher.metricThrottles(),
      above: 0,
      minutes: 2,
      outOfMinutes: 5,
      pages: true,
    },
    {
      heading: 'Catcher failing',
      says: 'An execution of the catcher was killed or could not start; another one takes its sessions over.',
      metric: catcher.metricErrors(),
      ...ONCE,
      pages: false,
    },
  ];
}
