import { DescribeServicesCommand, DescribeTasksCommand, type ECSClient } from '@aws-sdk/client-ecs';
import type { Logger } from '../../shared/logger.ts';
import type { EcsTask } from './ecs-task.ts';

const CALL_TIMEOUT_MS = 5_000;

/** The deployment that a service is going to: the one with status `PRIMARY`. */
export interface PrimaryRevision {
  /** `ecs-svc/…`. */
  readonly id: string | undefined;
  /** ARN. */
  readonly taskDefinition: string;
  readonly runningCount: number;
}

/**
 * The revision that a task is of, as it stands in its row: the id of the deployment that started it, so that a forced
 * deployment of the same task definition is another revision. Where ECS does not tell: the task definition.
 *
 * @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html `startedBy`, read 2026-11-27
 */
export async function revisionOf(
  client: ECSClient,
  task: Pick<EcsTask, 'cluster' | 'taskArn' | 'taskDefinition'>,
  logger: Logger,
): Promise<string> {
  const command = new DescribeTasksCommand({ cluster: task.cluster, tasks: [task.taskArn] });
  try {
    const abortSignal = AbortSignal.timeout(CALL_TIMEOUT_MS);
    const { tasks } = await client.send(command, { abortSignal });
    return tasks?.[0]?.startedBy || task.taskDefinition;
  } catch (error) {
    logger.warn('own revision unknown', { event: 'revision_unknown', error });
    return task.taskDefinition;
  }
}

/** @returns undefined when ECS did not say */
export async function primaryRevision(
  client: ECSClient,
  task: Pick<EcsTask, 'cluster' | 'serviceName'>,
  logger: Logger,
): Promise<PrimaryRevision | undefined> {
  const command = new DescribeServicesCommand({
    cluster: task.cluster,
    services: [task.serviceName],
  });
  try {
    const abortSignal = AbortSignal.timeout(CALL_TIMEOUT_MS);
    const { services } = await client.send(command, { abortSignal });
    const primary = services?.[0]?.deployments?.find(({ status }) => status === 'PRIMARY');
    if (primary?.taskDefinition === undefined) return undefined;
    const { id, taskDefinition, runningCount = 1 } = primary;
    return { id, taskDefinition, runningCount };
  } catch (error) {
    logger.warn('service revision unknown', { event: 'revision_unknown', error });
    return undefined;
  }
}

/** Is a task whose row says `revision` of this deployment? */
export function isOfRevision(primary: PrimaryRevision, revision: string | undefined): boolean {
  if (revision === undefined) return false;
  return revision === primary.id || primary.taskDefinition.endsWith(`/${revision}`);
}
