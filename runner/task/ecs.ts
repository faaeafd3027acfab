import {
  DescribeServicesCommand,
  DescribeTasksCommand,
  type ECSClient,
  UpdateTaskProtectionCommand,
} from '@aws-sdk/client-ecs';
import { ServiceError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import type { Metrics } from '../../shared/metrics.ts';

/**
 * Everything that a task asks of ECS: who it is (`describeOwnTask`), of which revision it is and which one is the newest
 * (`revisionOf`, `primaryRevision`), and not to be stopped while it serves (`EcsProtection`).
 */
const CALL_TIMEOUT_MS = 5_000;

/** One task of the service, as the ECS agent describes it to the task itself. */
export interface EcsTask {
  readonly cluster: string;
  readonly taskArn: string;
  /** Last part of the ARN. */
  readonly taskId: string;
  readonly serviceName: string;
  /** `family:revision` of the task definition it was started from. */
  readonly taskDefinition: string;
}

/** A task that was started alone (RunTask) has no service, and so neither protection nor revisions. */
export interface OwnTask {
  readonly taskId: string;
  readonly service: EcsTask | undefined;
}

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
    throw new ServiceError('config/invalid', 'the ECS task metadata do not name the task');
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
  const isPassing = status === 429 || status >= 500;
  const code = isPassing ? 'ecs/metadata-unavailable' : 'config/invalid';
  throw new ServiceError(code, 'the ECS task metadata cannot be read', { detail: { status } });
}

async function ask(url: string): Promise<Response> {
  try {
    return await fetch(url, { signal: AbortSignal.timeout(CALL_TIMEOUT_MS) });
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
  throw new ServiceError('config/invalid', 'the ECS task metadata are not an object');
}

/** The newest deployment of a service: the one with status `PRIMARY`, which ECS replaces all others with. */
export interface PrimaryRevision {
  /** `ecs-svc/…`. */
  readonly id: string | undefined;
  /** ARN. */
  readonly taskDefinition: string;
  readonly runningCount: number;
}

/**
 * Asks which revision a task is of, as it then stands in the task's row. The revision is the id of the deployment that
 * started the task, so that a forced deployment of the same task definition counts as another revision.
 *
 * @returns the task definition when ECS does not answer
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
    logger.warn('ECS did not say which revision this task is of', {
      event: 'revision_unknown',
      error,
    });
    return task.taskDefinition;
  }
}

/** Asks which revision of the service is the newest. @returns undefined when ECS does not answer */
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
    logger.warn('ECS did not say which revision is the newest', {
      event: 'revision_unknown',
      error,
    });
    return undefined;
  }
}

/** @param revision what the row of a task says; undefined outside ECS */
export function isOfRevision(primary: PrimaryRevision, revision: string | undefined): boolean {
  if (revision === undefined) return false;
  return revision === primary.id || primary.taskDefinition.endsWith(`/${revision}`);
}

/** ECS may stop a task that hangs, and so renews nothing, after this long. */
const EXPIRES_IN_MINUTES = 60;
const REFRESH_MS = (EXPIRES_IN_MINUTES * 60_000) / 2;
/** ECS answers `DEPLOYMENT_BLOCKED` until the service's desired count has caught up. */
const RETRY_MS = 15_000;

export interface EcsProtectionOptions {
  readonly client: ECSClient;
  readonly task: Pick<EcsTask, 'cluster' | 'taskArn'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Keeps ECS from stopping a task that owns sessions, when the service scales in or deploys. Nothing waits for the
 * protection, because it is not needed for safety: a task that is stopped hands its sessions over.
 */
export class EcsProtection {
  readonly #options: EcsProtectionOptions;
  #wanted = false;
  /** What ECS last confirmed. */
  #confirmed = false;
  #calling = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: EcsProtectionOptions) {
    this.#options = options;
  }

  /** Notes whether the task owns sessions. Calls ECS only when that has changed. */
  busy(isBusy: boolean): void {
    if (isBusy === this.#wanted) return;
    this.#wanted = isBusy;
    void this.#apply();
  }

  get isProtected(): boolean {
    return this.#confirmed;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #apply(): Promise<void> {
    this.stop();
    if (this.#calling) return;
    this.#calling = true;
    const wanted = this.#wanted;
    const failure = await this.#call(wanted);
    this.#calling = false;
    if (failure === undefined) {
      this.#confirmed = wanted;
    } else {
      this.#options.metrics.count('ProtectionFailures');
      this.#options.logger.warn('ECS did not change the protection of this task', {
        event: 'protection_failed',
        wanted,
        reason: failure,
      });
    }
    if (this.#wanted !== wanted) void this.#apply();
    else if (failure !== undefined) this.#applyIn(RETRY_MS);
    else if (wanted) this.#applyIn(REFRESH_MS);
  }

  #applyIn(delayMs: number): void {
    this.#timer = setTimeout(() => void this.#apply(), delayMs).unref();
  }

  /** @returns why it failed: the call itself, or a `failure` inside a successful answer */
  async #call(enabled: boolean): Promise<string | undefined> {
    const { client, task } = this.#options;
    const command = new UpdateTaskProtectionCommand({
      cluster: task.cluster,
      tasks: [task.taskArn],
      protectionEnabled: enabled,
      ...(enabled ? { expiresInMinutes: EXPIRES_IN_MINUTES } : {}),
    });
    try {
      const answer = await client.send(command, {
        abortSignal: AbortSignal.timeout(CALL_TIMEOUT_MS),
      });
      const failure = answer.failures?.[0];
      if (failure !== undefined) return failure.reason ?? 'unknown';
      const isEnabled = answer.protectedTasks?.[0]?.protectionEnabled;
      return isEnabled === enabled ? undefined : 'not confirmed';
    } catch (error) {
      return error instanceof Error ? error.name : typeof error;
    }
  }
}
