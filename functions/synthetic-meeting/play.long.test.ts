import { once } from 'node:events';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, startStack } from '../../local/stack.ts';
import { closeServer, listen } from '../../simulator/sockets/listen.ts';
import { bundleOf, startBundle } from '../../test/support/bundle-process.ts';
import { waitFor } from '../../test/support/wait.ts';
import { probe } from '../webhook-canary/probe.ts';
import { readSyntheticMeetingConfig } from './config.ts';
import { playSyntheticMeeting } from './play.ts';

const app = {
  clientId: 'synthetic',
  clientSecret: 'sign-random',
  webhookSecretTokens: ['verify-random'],
};

let stack: Stack;
let kinesis: KinesisClient;
let environment: Record<string, string>;
beforeAll(async () => {
  stack = await startStack({
    credentials: { clientId: 'id', clientSecret: 'secret', webhookSecretTokens: ['token'] },
    allowedHosts: 'zoom.us,ws://127.0.0.1',
    media: undefined,
    runners: 1,
    port: 0,
    path: '/webhook',
    onLog: () => undefined,
  });
  const { aws } = stack;
  const own = { clientId: 'id', clientSecret: 'secret', webhookSecretTokens: ['token'] };
  await aws.secrets.put(aws.secretId, JSON.stringify({ apps: { default: own, synthetic: app } }));
  await aws.secrets.put('synthetic', JSON.stringify({ synthetic: 'random' }));
  // The webhook looks for new tokens when a signature does not fit, every 30 s at most.
  await waitFor(() => probe(`${stack.webhookUrl}/synthetic`, 'verify-random'), {
    timeout: 45_000,
    interval: 500,
  });
  const { region, credentials, endpoints } = aws;
  kinesis = new KinesisClient({
    region,
    credentials,
    endpoint: endpoints.kinesis,
    requestHandler: new NodeHttpHandler(),
  });
  environment = {
    ...aws.env(),
    WEBHOOK_URL: stack.webhookUrl,
    SYNTHETIC_SECRET_ID: 'synthetic',
    HOST: '127.0.0.1',
    BIND_HOST: '127.0.0.1',
    SIGNALING_PORT: String(await freePort()),
    MEDIA_PORT: String(await freePort()),
    MEETING_SECONDS: '3',
    DEADLINE_SECONDS: '45',
    INTERVAL_SECONDS: '0',
  };
}, 60_000);
afterAll(async () => {
  kinesis.destroy();
  await stack.close();
}, 60_000);

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server, 0);
  await closeServer(server);
  return port;
}

test('a meeting through webhook, runner and Kinesis is complete, and says so in metrics', async () => {
  const lines: Record<string, unknown>[] = [];
  // As its task runs it: bundled, without our variables, and with nowhere to write.
  const bundle = await bundleOf('functions/synthetic-meeting/main.ts', 'fargate');
  const { region, credentials } = stack.aws;
  const child = startBundle(bundle, {
    ...environment,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  });
  const others: string[] = [];
  for (const output of [child.stdout, child.stderr]) {
    if (output === null) continue;
    createInterface({ input: output }).on('line', (line) => {
      if (line.startsWith('{')) lines.push(JSON.parse(line));
      else others.push(line);
    });
  }
  const [code] = await once(child, 'close');
  await bundle.remove();
  expect(others).toEqual([]);
  const result = lines.find(({ event }) => event === 'synthetic_meeting');
  expect(result).toMatchObject({ why: 'complete', success: true, problems: [] });
  expect(result?.['frames']).toBe(result?.['sentFrames']);
  expect(result?.['frames']).toBeGreaterThan(100);
  expect(result?.['lines']).toBeGreaterThan(0);
  const metrics = Object.assign({}, ...lines) as Record<string, unknown>;
  expect(metrics).toMatchObject({
    service: 'synthetic',
    deployment: 'local',
    SyntheticSuccess: 100,
    SyntheticLatency: expect.any(Number),
  });
  expect(code).toBe(0);
}, 60_000);

test('a webhook that refuses the meeting fails it and says which step', async () => {
  const config = {
    ...readSyntheticMeetingConfig(environment),
    meetingSeconds: 1,
    deadlineSeconds: 1,
  };
  const forged = { ...app, webhookSecretTokens: ['a token that nobody knows'] };
  const result = await playSyntheticMeeting(config, forged, kinesis);
  expect(result).toMatchObject({ success: false, why: 'webhook', latencyMs: undefined, frames: 0 });
}, 30_000);
