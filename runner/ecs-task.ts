import { ServiceError } from '../shared/errors.ts';

/** What a task in ECS knows of itself. */
export interface EcsTask {
  readonly cluster: string;
  readonly taskArn: string;
  /** Last part of the ARN. */
  readonly taskId: string;
  readonly serviceName: string;
  /** `family:revision` of the task definition it was started from. */
  readonly taskDefinition: string;
}

const METADATA_TIMEOUT_MS = 5_000;

/**
 * Asks the ECS agent who this task is.
 *
 * @param metadataUri `ECS_CONTAINER_METADATA_URI_V4`
 * @returns undefined for a task that belongs to no service (RunTask): protection and revisions do not exist
 * @throws ServiceError `config/invalid` when the endpoint does not answer as documented
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate-response.html
 */
export async function describeOwnTask(metadataUri: string): Promise<EcsTask | undefined> {
  const answer = await readMetadata(`${metadataUri}/task`);
  const [cluster, taskArn, family, revision] = ['Cluster', 'TaskARN', 'Family', 'Revision'].map(
    (name) => answer[name],
  );
  const serviceName = answer['ServiceName'];
  if (typeof serviceName !== 'string' || serviceName === '') return undefined;
  if (
    typeof cluster !== 'string' ||
    typeof taskArn !== 'string' ||
    typeof family !== 'string' ||
    typeof revision !== 'string'
  ) {
    throw new ServiceError('config/invalid', 'the ECS task metadata lack the task itself');
  }
  return {
    cluster,
    taskArn,
    taskId: taskArn.slice(taskArn.lastIndexOf('/') + 1),
    serviceName,
    taskDefinition: `${family}:${revision}`,
  };
}

async function readMetadata(url: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(METADATA_TIMEOUT_MS) });
    return (await response.json()) as Record<string, unknown>;
  } catch (cause) {
    throw new ServiceError('config/invalid', 'the ECS task metadata cannot be read', { cause });
  }
}
