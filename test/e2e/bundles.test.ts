import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalAws, startLocalAws } from '../../local/aws/local-aws.ts';
import { type LocalWebhookServer, startWebhookServer } from '../../local/webhook-server.ts';
import { signWebhook } from '../../shared/zoom/webhook-signature.ts';
import { type BundledFunction, startFunction } from '../support/bundle-process.ts';
import { TOKEN, zoomSecret } from '../support/front-door.ts';

/** Runs the functions as a deployment does: bundled, with Lambda's variables alone, in a folder they cannot write to. */
let aws: LocalAws;
let environment: Record<string, string>;
let webhook: BundledFunction;
let server: LocalWebhookServer;
beforeAll(async () => {
  aws = await startLocalAws({ zoomSecret: zoomSecret() });
  const { accessKeyId, secretAccessKey } = aws.credentials;
  environment = {
    ...aws.env(),
    AWS_REGION: aws.region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_LAMBDA_FUNCTION_NAME: 'bundled',
  };
  webhook = await startFunction('functions/zoom-webhook/handler.ts', {
    ...environment,
    ALLOWED_HOSTS: 'zoom.us',
  });
  const handler = (event: unknown) =>
    webhook.invoke(event) as Promise<APIGatewayProxyStructuredResultV2>;
  server = await startWebhookServer({ port: 0, path: '/webhook', handler });
}, 60_000);
afterAll(async () => {
  await server.close();
  await webhook.close();
  await aws.close();
});

test.each([
  ['is answered by the webhook, for each app', [TOKEN], undefined],
  ['fails when the webhook does not know its token', ['of somebody else'], /canary-failed/],
])('the canary %s', async (_, tokens, failure) => {
  await aws.secrets.put('of-canary', zoomSecret(tokens));
  const canary = await startFunction('functions/webhook-canary/handler.ts', {
    ...environment,
    WEBHOOK_URL: server.url,
    ZOOM_WEBHOOK_SECRET_ID: 'of-canary',
  });
  if (failure === undefined) await expect(canary.invoke({})).resolves.toBeUndefined();
  else await expect(canary.invoke({})).rejects.toThrow(failure);
  await canary.close();
});

test('a start is stored and its job is sent', async () => {
  const rtmsStreamId = 'bundledStream==';
  const body = JSON.stringify({
    event: 'meeting.rtms_started',
    event_ts: Date.now(),
    payload: {
      meeting_uuid: 'bundled==',
      rtms_stream_id: rtmsStreamId,
      server_urls: 'wss://rtms.zoom.us/signaling',
    },
  });
  const timestamp = String(Math.floor(Date.now() / 1000));
  const { status } = await fetch(server.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-zm-request-timestamp': timestamp,
      'x-zm-signature': signWebhook(TOKEN, timestamp, body),
    },
    body,
  });
  expect(status).toBe(200);
  const name = aws.queueUrl.split('/').at(-1);
  const queue = await fetch(`${aws.endpoints.sqs}/_fauxqs/queues/${name}`);
  expect(await queue.text()).toContain(rtmsStreamId);
});

test('the authorizer decides by the headers', async () => {
  const authorizer = await startFunction('functions/webhook-authorizer/handler.ts', {
    AWS_REGION: aws.region,
    MAX_CLOCK_SKEW_SECONDS: '300',
  });
  const timestamp = String(Math.floor(Date.now() / 1000));
  const headers = {
    'x-zm-request-timestamp': timestamp,
    'x-zm-signature': signWebhook(TOKEN, timestamp, '{}'),
  };
  await expect(authorizer.invoke({ headers })).resolves.toEqual({ isAuthorized: true });
  await expect(authorizer.invoke({ headers: {} })).resolves.toEqual({ isAuthorized: false });
  await authorizer.close();
});
