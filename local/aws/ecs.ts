import type { AwsCall, AwsOperation } from './router.ts';

const TARGET = 'AmazonEC2ContainerServiceV20141113.';
const ARN = 'arn:aws:ecs:us-east-1:000000000000';

/** The scale-in protection that one task has asked for. */
interface Protection {
  readonly enabled: boolean;
  readonly expiresAtMs?: number;
}

/**
 * The part of the ECS control plane that a runner calls: scale-in protection, the definition of its task, and the
 * primary deployment of the service and how many tasks it is asked for. A task belongs to the revision that was primary when a call first named it.
 */
export class LocalEcs {
  /** Makes protection calls answer 200 with this failure reason, for example `DEPLOYMENT_BLOCKED`. */
  protectionFailure: string | undefined;
  /** Running tasks of the primary revision; undefined leaves the field out of the answer. */
  runningCount: number | undefined;
  /** Tasks that the service is asked for; undefined leaves the field out of the answer. */
  desiredCount: number | undefined;
  /** Called when a call to UpdateService has changed `desiredCount`. */
  onDesiredCount: ((count: number) => void) | undefined;
  /** How many DescribeServices calls were answered. */
  described = 0;
  readonly #protections = new Map<string, Protection>();
  readonly #revisions = new Map<string, number>();
  #primaryRevision = 1;

  /** Starts a deployment: tasks first named from now on belong to it, all others to an old revision. */
  deploy(): void {
    this.#primaryRevision += 1;
  }

  isProtected(task: string): boolean {
    return this.#protections.get(task)?.enabled ?? false;
  }

  operations(): ReadonlyMap<string, AwsOperation> {
    return new Map<string, AwsOperation>([
      [`${TARGET}GetTaskProtection`, (call) => this.#getProtection(call)],
      [`${TARGET}UpdateTaskProtection`, (call) => this.#updateProtection(call)],
      [`${TARGET}DescribeServices`, (call) => this.#describeServices(call)],
      [`${TARGET}UpdateService`, (call) => this.#updateService(call)],
      [`${TARGET}DescribeTasks`, (call) => this.#describeTasks(call)],
    ]);
  }

  #getProtection(call: AwsCall) {
    return { protectedTasks: tasksOf(call).map((task) => this.#describe(task)), failures: [] };
  }

  #updateProtection(call: AwsCall) {
    const tasks = tasksOf(call);
    const reason = this.protectionFailure;
    if (reason !== undefined) {
      return { protectedTasks: [], failures: tasks.map((arn) => ({ arn, reason })) };
    }
    const enabled = call['protectionEnabled'] === true;
    const minutes = Number(call['expiresInMinutes'] ?? 120);
    for (const task of tasks) {
      this.#protections.set(task, {
        enabled,
        ...(enabled ? { expiresAtMs: Date.now() + minutes * 60_000 } : {}),
      });
    }
    return this.#getProtection(call);
  }

  #describe(task: string) {
    const { enabled, expiresAtMs } = this.#protections.get(task) ?? { enabled: false };
    return {
      taskArn: task,
      protectionEnabled: enabled,
      ...(expiresAtMs === undefined ? {} : { expirationDate: expiresAtMs / 1000 }),
    };
  }

  #describeServices(call: AwsCall) {
    this.described += 1;
    const taskDefinition = definition(this.#primaryRevision);
    const { runningCount, desiredCount } = this;
    const services = strings(call['services']).map((name) => ({
      serviceName: name,
      serviceArn: `${ARN}:service/local/${name}`,
      status: 'ACTIVE',
      taskDefinition,
      ...(desiredCount === undefined ? {} : { desiredCount }),
      deployments: [
        {
          id: `ecs-svc/${this.#primaryRevision}`,
          status: 'PRIMARY',
          taskDefinition,
          ...(runningCount === undefined ? {} : { runningCount }),
        },
      ],
    }));
    return { services, failures: [] };
  }

  #updateService(call: AwsCall) {
    this.desiredCount = Number(call['desiredCount'] ?? this.desiredCount);
    this.onDesiredCount?.(this.desiredCount);
    return {
      service: this.#describeServices({ ...call, services: [call['service']] }).services[0],
    };
  }

  #describeTasks(call: AwsCall) {
    const tasks = tasksOf(call).map((task) => {
      const revision = this.#revisions.get(task) ?? this.#primaryRevision;
      this.#revisions.set(task, revision);
      return {
        taskArn: task,
        lastStatus: 'RUNNING',
        taskDefinitionArn: definition(revision),
        startedBy: `ecs-svc/${revision}`,
      };
    });
    return { tasks, failures: [] };
  }
}

const definition = (revision: number) => `${ARN}:task-definition/rtms-runner:${revision}`;

const tasksOf = (call: AwsCall) => strings(call['tasks']);

const strings = (value: unknown) =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
