import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test, vi } from 'vitest';
import { createWebhookAws } from './aws.ts';
import { createJobQueue, fairQueueGroup } from './job-queue.ts';

test.each(['AAAAAABBBB', '4444AAAiAAAAAiAiAiiAii==', '/abc/+==', 'x'.repeat(128)])(
  '%s is its own fair-queue group',
  (id) => {
    expect(fairQueueGroup(id)).toBe(id);
  },
);

test.each(['José', 'a b', 'x'.repeat(129)])('"%s" is hashed into a group SQS accepts', (id) => {
  expect(fairQueueGroup(id)).toMatch(/^[0-9a-f]{64}$/);
  expect(fairQueueGroup(id)).not.toBe(fairQueueGroup(`${id}!`));
});

/**
 * How SQS refuses in its JSON protocol: the name of the model's error, and in a header the code of the older protocol. Both are
 * `RequestThrottled` for a rate that is too high, without the prefix that other codes of SQS have.
 *
 * @see https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html#API_SendMessage_Errors
 */
test.each([
  { name: 'RequestThrottled', code: 'RequestThrottled', status: 403, calls: 2, failure: undefined },
  // The SDK takes a throttled key for no throttling. Zoom is told to come again, and repeats the whole delivery.
  {
    name: 'KmsThrottled',
    code: 'KMS.ThrottlingException',
    status: 400,
    calls: 1,
    failure: 'webhook/store-failed',
  },
])('SQS that refuses once with $name is called $calls times', async (refusal) => {
  let calls = 0;
  const server = createServer((request, response) => {
    text(request).then((sent) => {
      calls += 1;
      // The SDK compares it.
      const MD5OfMessageBody = createHash('md5').update(JSON.parse(sent).MessageBody).digest('hex');
      const refused = { 'x-amzn-query-error': `${refusal.code};Sender` };
      response.writeHead(calls === 1 ? refusal.status : 200, {
        'content-type': 'application/x-amz-json-1.0',
        ...(calls === 1 && refused),
      });
      const body = { __type: `com.amazonaws.sqs#${refusal.name}`, message: 'throttled' };
      response.end(JSON.stringify(calls === 1 ? body : { MessageId: 'one', MD5OfMessageBody }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  vi.stubEnv('AWS_REGION', 'us-east-1');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { sqs } = createWebhookAws({ AWS_ENDPOINT_URL_SQS: url });
  try {
    const notify = createJobQueue(sqs, `${url}/000000000000/jobs`);
    const queued = notify('stream', { entityId: 'm==' }, new AbortController().signal);
    const failure = await queued.then(
      () => undefined,
      ({ code }) => code,
    );
    expect(failure).toBe(refusal.failure);
    expect(calls).toBe(refusal.calls);
  } finally {
    sqs.destroy();
    server.close();
    vi.unstubAllEnvs();
  }
});
