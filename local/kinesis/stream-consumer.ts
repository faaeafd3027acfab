import { ApiError } from './api-error.ts';
import { KINESIS_QUOTAS } from './limits.ts';
import type { DataStream } from './stream.ts';

/** A subscription that may be ended from outside. */
export interface Endable {
  end(error: ApiError): void;
}

/** One consumer that is registered for enhanced fan-out, and its subscriptions: one for each shard at most. */
export class StreamConsumer {
  readonly name: string;
  readonly arn: string;
  readonly createdAtMs: number;
  readonly #subscriptions = new Map<string, { subscribedAtMs: number; current: Endable }>();

  constructor(stream: DataStream, name: string, nowMs: number) {
    this.name = name;
    this.createdAtMs = nowMs;
    this.arn = `${stream.arn}/consumer/${name}:${Math.floor(nowMs / 1000)}`;
  }

  /**
   * Lets a new subscription of a shard take the place of the one before, which is told so.
   *
   * @throws ApiError ResourceInUseException within five seconds of the last successful one
   */
  subscribe(shardId: string, next: Endable, nowMs: number): void {
    const before = this.#subscriptions.get(shardId);
    if (before && nowMs - before.subscribedAtMs < KINESIS_QUOTAS.resubscribeAfterMs) {
      const message = `Another active subscription exists for consumer ${this.arn} and shard ${shardId}.`;
      throw new ApiError('ResourceInUseException', message);
    }
    const message = `Another subscription of ${this.arn} has taken over shard ${shardId}.`;
    before?.current.end(new ApiError('ResourceInUseException', message));
    this.#subscriptions.set(shardId, { subscribedAtMs: nowMs, current: next });
  }

  /** Ends what is subscribed: the consumer or its stream does not exist any more. */
  remove(): void {
    const error = new ApiError('ResourceNotFoundException', `Consumer ${this.arn} not found.`);
    for (const { current } of this.#subscriptions.values()) current.end(error);
    this.#subscriptions.clear();
  }
}
