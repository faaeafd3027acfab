import { ServiceError } from '../../shared/errors.ts';

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

/** A task that was started alone (RunTask) has no service: protection and revisions do not exist for it. */
export interface OwnTask {
  readonly taskId: string;
  readonly service: EcsTask | undefined;
}

const METADATA_TIMEOUT_MS = 5_000;

/**
 * Asks the ECS agent who this task is.
 *
 * @param metadataUri `ECS_CONTAINER_METADATA_URI_V4`
 * @throws ServiceError `ecs/metadata-unavailable` when the agent is busy, throttles or cannot be reached,
 *   `config/invalid` when it does not answer as documented: a task that took such an answer for "no service" would
 *   neither be protected nor notice that it is of an old revision
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4-fargate-response.html
 */
export async function describeOwnTask(metadataUri: string): Promise<OwnTask> {
  const answer = await readMetadata(`${metadataUri}/task`);
  const [cluster, taskArn, family, revision] = ['Cluster', 'TaskARN', 'Family', 'Revision'].map(
    (name) => answer[name],
  );
  const serviceName = answer['ServiceName'];
  if (
    typeof cluster !== 'string' ||
    typeof taskArn !== 'string' ||
    typeof family !== 'string' ||
    typeof revision !== 'string'
  ) {
    throw new ServiceError('config/invalid', 'the ECS task metadata lack the task itself');
  }
  const taskId = taskArn.slice(taskArn.lastIndexOf('/') + 1);
  if (typeof serviceName !== 'string' || serviceName === '') return { taskId, service: undefined };
  const taskDefinition = `${family}:${revision}`;
  return { taskId, service: { cluster, taskArn, taskId, serviceName, taskDefinition } };
}

async function readMetadata(url: string): Promise<Readonly<Record<string, unknown>>> {
  const response = await ask(url);
  const { status } = response;
  if (status === 200) return readObject(response);
  const passes = status === 429 || status >= 500;
  const code = passes ? 'ecs/metadata-unavailable' : 'config/invalid';
  throw new ServiceError(code, 'the ECS task metadata cannot be read', { detail: { status } });
}

async function ask(url: string): Promise<Response> {
  try {
    return await fetch(url, { signal: AbortSignal.timeout(METADATA_TIMEOUT_MS) });
  } catch (cause) {
    throw new ServiceError('ecs/metadata-unavailable', 'the ECS task metadata cannot be read', {
      cause,
    });
  }
}

async function readObject(response: Response): Promise<Readonly<Record<string, unknown>>> {
  try {
    const answer: unknown = await response.json();
    if (typeof answer === 'object' && answer !== null) return answer as Record<string, unknown>;
  } catch (cause) {
    throw new ServiceError('config/invalid', 'the ECS task metadata are not JSON', { cause });
  }
  throw new ServiceError('config/invalid', 'the ECS task metadata are no object');
}
