import { DescribeServicesCommand, type ECSClient, UpdateServiceCommand } from '@aws-sdk/client-ecs';
import type { Fleet } from '../../runner/ownership/orphans.ts';
import type { Logger } from '../../shared/logger.ts';
import type { CatcherConfig } from './config.ts';

const CALL_TIMEOUT_MS = 5_000;

/**
 * How many tasks the service should have, so that everything the catcher holds can move to one.
 *
 * During a deployment old tasks live beside the new ones: counted as tasks that the service is to have, they would double it with each
 * deployment. Tasks that still start are counted in `desired` and not in the fleet, or each call would ask for them once more.
 *
 * @param fleet as of the last look; undefined before the first
 * @param desired how many the service is asked for now; those that still start are among them
 * @returns `desired` when that is enough, never more than `maxTasks`
 */
export function tasksWanted(
  fleet: Fleet | undefined,
  desired: number,
  { taskCapacity, maxTasks }: Pick<CatcherConfig, 'taskCapacity' | 'maxTasks'>,
): number {
  const { tasks, freeSlots, caughtSlots } = fleet ?? { tasks: 0, freeSlots: 0, caughtSlots: 0 };
  const missing = Math.ceil(Math.max(0, caughtSlots - freeSlots) / taskCapacity);
  // A session was just caught, whether or not the heartbeats show it: one task has to come.
  const wanted = Math.max(1, Math.min(tasks, desired) + missing);
  return Math.max(desired, Math.min(wanted, maxTasks));
}

/**
 * Asks ECS for the tasks that the caught sessions need. It does not wait for an alarm of auto scaling: where no task
 * runs, no task reports the metric that auto scaling would act on.
 *
 * Never rejects: the sessions are served here meanwhile, and the next call asks again.
 */
export async function startTasks(
  ecs: ECSClient,
  config: Pick<CatcherConfig, 'service' | 'taskCapacity' | 'maxTasks'>,
  fleet: Fleet | undefined,
  logger: Logger,
): Promise<void> {
  const { cluster, name } = config.service;
  const limited = () => ({ abortSignal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
  try {
    const describe = new DescribeServicesCommand({ cluster, services: [name] });
    const { services } = await ecs.send(describe, limited());
    const desired = services?.[0]?.desiredCount ?? 0;
    const desiredCount = tasksWanted(fleet, desired, config);
    if (desiredCount <= desired) return;
    const update = new UpdateServiceCommand({ cluster, service: name, desiredCount });
    await ecs.send(update, limited());
    logger.info('tasks asked for', { event: 'tasks_wanted', desired, desiredCount });
  } catch (error) {
    logger.warn('ECS was not asked for tasks', { event: 'tasks_not_wanted', error });
  }
}
