import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import middy from '@middy/core';
import type { APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda';
import { expect, test } from 'vitest';
import { ServiceError } from '../../shared/errors.ts';
import { type LogFields, type Logger, SILENT_LOGGER } from '../../shared/logger.ts';
import { type MetricName, NO_METRICS } from '../../shared/metrics.ts';
import { answerErrors } from './answer-errors.ts';
import { awsFailure } from './aws.ts';
import type { ZoomDelivery } from './delivery.ts';

/** The chain's outermost step around a step that throws. */
async function answerTo(error: unknown) {
  const counted: MetricName[] = [];
  const logged: LogFields[] = [];
  const logger: Logger = { ...SILENT_LOGGER, error: (_text, fields = {}) => logged.push(fields) };
  const metrics = { ...NO_METRICS, count: (name: MetricName) => void counted.push(name) };
  const chain = middy<ZoomDelivery, APIGatewayProxyStructuredResultV2>()
    .use(answerErrors(logger, metrics))
    .handler(() => Promise.reject(error));
  const event = { requestContext: { requestId: 'r' } } as ZoomDelivery;
  const { statusCode, body } = await chain(event, {} as Context);
  return { statusCode, body, counted, logged };
}

test.each<[string, unknown, number, MetricName]>([
  ['a bug', new TypeError('confidential'), 500, 'WebhookDefect'],
  ['something that is no error', 'confidential', 500, 'WebhookDefect'],
  [
    'one of our errors in a wrong place',
    new ServiceError('config/invalid', 'x'),
    500,
    'WebhookDefect',
  ],
  ['AWS', new ServiceError('webhook/store-failed', 'x'), 503, 'WebhookStoreFailure'],
  ['the secret', new ServiceError('webhook/secret-unavailable', 'x'), 503, 'WebhookSecretFailure'],
])('trouble with %s has a metric of its own', async (_what, error, statusCode, metric) => {
  const answer = await answerTo(error);
  expect(answer).toMatchObject({ statusCode, counted: [metric] });
  expect(answer.body).not.toContain('confidential');
});

test('a defect is logged as webhook/defect with its cause', async () => {
  const bug = new TypeError('confidential');
  const { logged, body } = await answerTo(bug);
  expect(JSON.parse(body ?? '')).toEqual({ error: 'webhook/defect' });
  expect(logged).toMatchObject([{ requestId: 'r', error: { code: 'webhook/defect', cause: bug } }]);
});

test.each([
  ['a call that DynamoDB calls wrong', { name: 'ValidationException', $metadata: {} }, 'defect'],
  ['missing rights', { name: 'AccessDeniedException', $metadata: {} }, 'store-failed'],
  ['a throttled call', { name: 'ThrottlingException', $metadata: {} }, 'store-failed'],
  ['a reset connection', { code: 'ECONNRESET' }, 'store-failed'],
  ['no answer', { name: 'TimeoutError' }, 'store-failed'],
  ['an aborted call', { name: 'AbortError' }, 'store-failed'],
  ['a bug', {}, 'defect'],
])('%s is told apart', (_what, fields, code) => {
  const cause = Object.assign(new Error('x'), fields);
  expect(awsFailure(cause, 'not written')).toMatchObject({ code: `webhook/${code}`, cause });
});

test('a value that the SDK cannot write counts as a defect, not as a store failure', async () => {
  const documents = DynamoDBDocumentClient.from(
    new DynamoDBClient({ region: 'us-east-1', endpoint: 'http://127.0.0.1:1' }),
  );
  const Key = { pk: Symbol('not a value') };
  const failed = documents
    .send(new GetCommand({ TableName: 't', Key }))
    .catch((cause) => Promise.reject(awsFailure(cause, 'not read')));
  await expect(failed).rejects.toMatchObject({ code: 'webhook/defect' });
  documents.destroy();
});
