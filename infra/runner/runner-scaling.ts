import { Duration, TimeZone } from 'aws-cdk-lib';
import { AdjustmentType, Schedule } from 'aws-cdk-lib/aws-applicationautoscaling';
import type { FargateService } from 'aws-cdk-lib/aws-ecs';
import type { Config } from '../config/schema.ts';
import type { DeploymentMetrics } from '../monitoring/deployment-metrics.ts';
import {
  leastTasks,
  QUEUE_AGE_STEPS,
  SCALE_IN_COOLDOWN_SECONDS,
  TARGET_UTILIZATION_PERCENT,
} from '../planning/scaling-rules.ts';
import type { JobQueue } from '../webhook/job-queue.ts';

/**
 * Scales on what the tasks hold, not on the queue's length: a session outlives its message by hours.
 * Target tracking follows the day; steps on the queue's age answer a burst; schedules come before it. Headroom
 * is part of the floor and no rule of its own: a rule that adds tasks whenever few slots are free fights
 * target tracking, which takes them away again a quarter of an hour later, all day long.
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
  // A fleet that may not grow needs no rules, and their alarms cost.
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
    scalingSteps: QUEUE_AGE_STEPS.map(({ ageSeconds, addPercent }) => ({
      lower: ageSeconds,
      change: addPercent,
    })),
  });
  for (const { name, minute, hour, weekDay, timeZone, minTasks } of runner.prewarm) {
    scaling.scaleOnSchedule(name, {
      schedule: Schedule.cron({ minute, hour, weekDay }),
      timeZone: TimeZone.of(timeZone),
      minCapacity: Math.max(minTasks, minCapacity),
    });
  }
}
