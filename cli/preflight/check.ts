import { ServiceError } from '../../shared/errors.ts';
import { EXIT, exitCodeOf } from '../terminal/exit-code.ts';

/** The result of one check. `hint` is something that only a person can check. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warning' | 'failed' | 'hint';
  readonly found: string;
  /** What to do about it. */
  readonly fix?: string;
  /** The check failed because there was no answer, or no access. */
  readonly unreachable?: true;
  /** There was no answer at all. */
  readonly unanswered?: true;
}

/** How large the deployment is, or will be. A value that is not given is not compared. */
export interface Sizing {
  readonly maxTasks: number | undefined;
  /** vCPU of one task. */
  readonly taskVcpu: number;
  /** Concurrent executions that the webhook function needs at its busiest. */
  readonly webhookConcurrency: number;
  /** Streams at one time at the busiest. */
  readonly meetings: number | undefined;
  /** Concurrent streams that the contract with Zoom allows. */
  readonly zoomConcurrency: number | undefined;
  readonly shards: number | undefined;
}

/** Runs a check. A ServiceError becomes a failed check. */
export async function attempt(
  name: string,
  fix: string,
  look: () => Promise<Check | readonly Check[]>,
): Promise<readonly Check[]> {
  try {
    const found = await look();
    return Array.isArray(found) ? found : [found as Check];
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    const found = error.message.replace(`[${error.code}] `, '');
    const isUnreachable = exitCodeOf(error) === EXIT.UNREACHABLE;
    // The message about a missing name, credentials or Region says already what to do.
    const { missing, name: cause } = error.detail;
    const isSaid =
      missing !== undefined || ['CredentialsProviderError', 'NoRegion'].includes(String(cause));
    const remedy = isSaid ? {} : { fix };
    const reach = {
      ...(isUnreachable && { unreachable: true as const }),
      ...(error.detail['answered'] === false && { unanswered: true as const }),
    };
    return [{ name, status: 'failed', found, ...remedy, ...reach }];
  }
}
