import { type ECSClient, UpdateTaskProtectionCommand } from '@aws-sdk/client-ecs';
import type { Logger } from '../../shared/logger.ts';
import type { Metrics } from '../../shared/metrics.ts';
import type { EcsTask } from './ecs-task.ts';

/** A hung task is stoppable again after this long. */
const EXPIRES_IN_MINUTES = 60;
/** Renewed at half of it. */
const REFRESH_MS = (EXPIRES_IN_MINUTES * 60_000) / 2;
/** `DEPLOYMENT_BLOCKED` passes when the service's desired count catches up. */
const RETRY_MS = 15_000;
const CALL_TIMEOUT_MS = 5_000;

export interface EcsProtectionOptions {
  readonly client: ECSClient;
  readonly task: Pick<EcsTask, 'cluster' | 'taskArn'>;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Keeps ECS from stopping a task that owns sessions when it scales in or deploys. Only a courtesy: a task
 * that is stopped all the same hands its sessions over, so nothing ever waits for it.
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

  /** Tells whether the task owns sessions; calls ECS only when that changes. */
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
      this.#options.logger.warn('task protection not changed', {
        event: 'protection_failed',
        wanted,
        reason: failure,
      });
    }
    if (this.#wanted !== wanted) void this.#apply();
    else if (failure !== undefined) this.#again(RETRY_MS);
    else if (wanted) this.#again(REFRESH_MS);
  }

  #again(delayMs: number): void {
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
