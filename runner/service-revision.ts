import { DescribeServicesCommand, type ECSClient } from '@aws-sdk/client-ecs';
import type { Logger } from '../shared/logger.ts';
import type { EcsTask } from './ecs-task.ts';

const CALL_TIMEOUT_MS = 5_000;

/**
 * Is this task of an old revision of its service, with tasks of the new one already running to take over?
 * A protected task gets no signal of a deployment, so it has to ask.
 *
 * @returns undefined when ECS did not say
 */
export async function isSuperseded(
  client: ECSClient,
  task: Pick<EcsTask, 'cluster' | 'serviceName' | 'taskDefinition'>,
  logger: Logger,
): Promise<boolean | undefined> {
  const command = new DescribeServicesCommand({
    cluster: task.cluster,
    services: [task.serviceName],
  });
  try {
    const abortSignal = AbortSignal.timeout(CALL_TIMEOUT_MS);
    const { services } = await client.send(command, { abortSignal });
    const primary = services?.[0]?.deployments?.find(({ status }) => status === 'PRIMARY');
    if (primary?.taskDefinition === undefined) return undefined;
    const isPrimary = primary.taskDefinition.endsWith(`/${task.taskDefinition}`);
    return !isPrimary && (primary.runningCount ?? 1) > 0;
  } catch (error) {
    logger.warn('service revision unknown', { event: 'revision_unknown', error });
    return undefined;
  }
}
