import { Duration, TimeZone } from 'aws-cdk-lib';
import { AdjustmentType, Schedule } from 'aws-cdk-lib/aws-applicationautoscaling';
import { MathExpression } from 'aws-cdk-lib/aws-cloudwatch';
import type { FargateService, ScalableTaskCount } from 'aws-cdk-lib/aws-ecs';
import type { Config } from '../config/schema.ts';
import type { DeploymentMetrics } from '../monitoring/deployment-metrics.ts';
import {
  leastTasks,
  queueAgeSteps,
  SCALE_IN_COOLDOWN_SECONDS,
  TARGET_UTILIZATION_PERCENT,
} from '../planning/scaling-rules.ts';
import type { JobQueue } from '../webhook/job-queue.ts';

/**
 * Scales on the slots in use, not on the queue's length: a session lasts hours longer than its job.
 *
 * - Target tracking follows the load of the day.
 * - Steps on the age of the oldest job answer a burst.
 * - Schedules add tasks before a burst.
 * - Headroom raises the smallest number of tasks. It is no rule of its own: a rule that adds tasks whenever few slots are
 *   free would fight target tracking, which stops them again a quarter of an hour later, all day long.
 */
export function addRunnerScaling(
  service: FargateService,
  runner: Config['runner'],
  jobs: JobQueue,
  metrics: DeploymentMetrics,
): void {
  const minCapacity = leastTasks(runner.minTasks, runner.headroomSlots, runner.capacity);
  const maxCapacity = runner.maxTasks;
  const scaling = service.autoScaleTaskCount({ minCapacity, maxCapacity });
  // Rules have alarms, which cost, and a fleet that may not grow has no use for them.
  if (maxCapacity === minCapacity) return;
  scaling.scaleToTrackCustomMetric('SlotUtilization', {
    metric: metrics.of('SlotUtilization', 'Average'),
    targetValue: TARGET_UTILIZATION_PERCENT,
    scaleOutCooldown: Duration.minutes(1),
    scaleInCooldown: Duration.seconds(SCALE_IN_COOLDOWN_SECONDS),
  });
  scaling.scaleOnMetric('QueueAge', {
    metric: jobs.metricOldestAge(),
    adjustmentType: AdjustmentType.PERCENT_CHANGE_IN_CAPACITY,
    minAdjustmentMagnitude: 2,
    cooldown: Duration.minutes(1),
    evaluationPeriods: 1,
    scalingSteps: queueAgeSteps(runner.catcher !== undefined).map(({ ageSeconds, addPercent }) => ({
      lower: ageSeconds,
      change: addPercent,
    })),
  });
  if (minCapacity === 0) addScalingAroundZero(scaling, jobs, metrics);
  for (const { name, minute, hour, weekDay, timeZone, minTasks } of runner.prewarm) {
    scaling.scaleOnSchedule(name, {
      schedule: Schedule.cron({ minute, hour, weekDay }),
      timeZone: TimeZone.of(timeZone),
      minCapacity: Math.max(minTasks, minCapacity),
    });
  }
}

/** The first and the last task, which the rules above do not see: where no task runs, none reports how full it is. */
function addScalingAroundZero(
  scaling: ScalableTaskCount,
  jobs: JobQueue,
  metrics: DeploymentMetrics,
): void {
  // The catcher asks ECS itself, and much sooner. This is for an account that has no concurrency for it. A metric that is
  // late looks like no task here, and starts one too many.
  scaling.scaleOnMetric('FirstTask', {
    metric: new MathExpression({
      expression: 'IF(FILL(tasks, 0) < 1, FILL(waiting, 0), 0)',
      usingMetrics: {
        waiting: jobs.metricWaiting(),
        tasks: metrics.of('SlotsTotal', 'SampleCount'),
      },
      label: 'waiting without a task',
      period: Duration.minutes(1),
    }),
    adjustmentType: AdjustmentType.CHANGE_IN_CAPACITY,
    cooldown: Duration.minutes(3),
    evaluationPeriods: 1,
    scalingSteps: [
      { upper: 0, change: 0 },
      { lower: 1, change: 1 },
    ],
  });
  scaling.scaleOnMetric('LastTask', {
    metric: metrics.of('SlotsUsed', 'Maximum'),
    adjustmentType: AdjustmentType.CHANGE_IN_CAPACITY,
    cooldown: Duration.seconds(SCALE_IN_COOLDOWN_SECONDS),
    evaluationPeriods: SCALE_IN_COOLDOWN_SECONDS / 60,
    scalingSteps: [
      { upper: 0, change: -1 },
      { lower: 0.01, change: 0 },
    ],
  });
}
