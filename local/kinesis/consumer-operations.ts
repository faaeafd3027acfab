import type { Account } from './account.ts';
import { ApiError } from './api-error.ts';
import { type Call, STREAM_NAME, streamOf, toTimestamp } from './call.ts';
import { type Input, optionalInteger, optionalObject, optionalText, text } from './input.ts';
import { KINESIS_QUOTAS } from './limits.ts';
import { subscribePosition } from './read-operations.ts';
import type { DataStream } from './stream.ts';
import { StreamConsumer } from './stream-consumer.ts';
import { Subscription } from './subscription.ts';

/** Operations of enhanced fan-out. A registered consumer is ACTIVE at once. */

const CONSUMER_ARN =
  /^arn:aws[\w-]*:kinesis:[\w-]+:\d{12}:stream\/([\w.-]+)\/consumer\/([\w.-]+):\d+$/;

export function registerStreamConsumer(input: Input, call: Call): object {
  const stream = streamOfArn(input, call.account);
  const name = text(input, 'ConsumerName', STREAM_NAME);
  if (stream.consumers.has(name)) {
    const message = `Consumer ${name} of stream ${stream.arn} already exists.`;
    throw new ApiError('ResourceInUseException', message);
  }
  if (stream.consumers.size >= KINESIS_QUOTAS.consumersPerStream) {
    const message = `Stream ${stream.arn} has ${stream.consumers.size} registered consumers, the most allowed.`;
    throw new ApiError('LimitExceededException', message);
  }
  const consumer = new StreamConsumer(stream, name, call.nowMs);
  stream.consumers.set(name, consumer);
  return { Consumer: describeConsumer(consumer) };
}

export function describeStreamConsumer(input: Input, call: Call): object {
  const { stream, consumer } = consumerOf(input, call.account);
  const description = { ...describeConsumer(consumer), StreamARN: stream.arn };
  return { ConsumerDescription: description };
}

export function listStreamConsumers(input: Input, call: Call): object {
  const stream = streamOfArn(input, call.account);
  const size = optionalInteger(input, 'MaxResults', 1, 10_000) ?? 100;
  const after = optionalText(input, 'NextToken') ?? '';
  const names = [...stream.consumers.keys()].sort().filter((name) => name > after);
  const page = names.slice(0, size);
  return {
    Consumers: page.map((name) => describeConsumer(stream.consumers.get(name) as StreamConsumer)),
    ...(names.length > size ? { NextToken: page.at(-1) } : {}),
  };
}

export function deregisterStreamConsumer(input: Input, call: Call): object {
  const { stream, consumer } = consumerOf(input, call.account);
  stream.consumers.delete(consumer.name);
  consumer.remove();
  return {};
}

/** @returns the subscription, whose events are the answer */
export function subscribeToShard(input: Input, call: Call): Subscription {
  const { stream, consumer } = consumerOf(input, call.account);
  stream.expire(call.nowMs);
  const shard = stream.shard(text(input, 'ShardId'));
  const start = optionalObject(input, 'StartingPosition');
  if (start === undefined) {
    throw new ApiError('ValidationException', 'StartingPosition must not be null.');
  }
  const position = subscribePosition(start, shard, call.nowMs);
  const subscription = new Subscription(stream, shard, position);
  consumer.subscribe(shard.id, subscription, call.nowMs);
  return subscription;
}

function describeConsumer({ name, arn, createdAtMs }: StreamConsumer): object {
  return {
    ConsumerName: name,
    ConsumerARN: arn,
    ConsumerStatus: 'ACTIVE',
    ConsumerCreationTimestamp: toTimestamp(createdAtMs),
  };
}

/** These operations take the ARN of the stream alone. */
function streamOfArn(input: Input, account: Account): DataStream {
  text(input, 'StreamARN');
  return streamOf({ StreamARN: input['StreamARN'] }, account);
}

/** Finds a consumer by its ARN, or by name in the stream of an ARN. @throws ApiError ResourceNotFoundException */
function consumerOf(
  input: Input,
  account: Account,
): { readonly stream: DataStream; readonly consumer: StreamConsumer } {
  const arn = optionalText(input, 'ConsumerARN');
  const [, streamName, nameInArn] = (arn && CONSUMER_ARN.exec(arn)) || [];
  if (arn !== undefined && streamName === undefined) {
    throw new ApiError('InvalidArgumentException', `${arn} is not the ARN of a consumer.`);
  }
  const stream = streamName === undefined ? streamOfArn(input, account) : account.find(streamName);
  const name = nameInArn ?? text(input, 'ConsumerName', STREAM_NAME);
  const consumer = stream.consumers.get(name);
  if (consumer !== undefined && (arn === undefined || consumer.arn === arn)) {
    return { stream, consumer };
  }
  const message = `Consumer ${arn ?? name} of stream ${stream.arn} not found.`;
  throw new ApiError('ResourceNotFoundException', message);
}
