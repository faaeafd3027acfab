import { createServer, type Server } from 'node:http';
import { ECSClient } from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { LocalEcs } from '../../local/aws/ecs.ts';
import { createAwsRouter } from '../../local/aws/router.ts';
import { SILENT_LOGGER } from '../../shared/logger.ts';
import { NO_METRICS } from '../../shared/metrics.ts';
import { closeServer, listen } from '../../simulator/sockets/listen.ts';
import { waitFor } from '../../test/support/wait.ts';
import {
  describeOwnTask,
  EcsProtection,
  isOfRevision,
  primaryRevision,
  revisionOf,
} from './ecs.ts';

/** As the task metadata endpoint, version 4, answers on Fargate. */
const METADATA = {
  Cluster: 'arn:aws:ecs:us-east-1:000000000000:cluster/rtms',
  TaskARN: 'arn:aws:ecs:us-east-1:000000000000:task/rtms/0123456789abcdef',
  Family: 'rtms-runner',
  Revision: '1',
  ServiceName: 'runner',
};
const TASK = { cluster: METADATA.Cluster, taskArn: METADATA.TaskARN };

let ecs: LocalEcs;
let server: Server;
let client: ECSClient;
let calls: number;

beforeAll(async () => {
  ecs = new LocalEcs();
  server = createAwsRouter(ecs.operations());
  server.on('request', () => {
    calls += 1;
  });
  client = new ECSClient({
    region: 'us-east-1',
    endpoint: `http://127.0.0.1:${await listen(server, 0)}`,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
});
afterAll(async () => {
  client.destroy();
  await closeServer(server);
});
beforeEach(() => {
  calls = 0;
  ecs.protectionFailure = undefined;
});

describe('EcsProtection', () => {
  const create = () =>
    new EcsProtection({ client, task: TASK, logger: SILENT_LOGGER, metrics: NO_METRICS });

  test('protects while there are sessions', async () => {
    const protection = create();
    protection.busy(true);
    await waitFor(() => expect(ecs.isProtected(TASK.taskArn)).toBe(true));
    protection.busy(false);
    await waitFor(() => expect(ecs.isProtected(TASK.taskArn)).toBe(false));
    protection.stop();
  });

  test('calls ECS only when idle and busy change', async () => {
    const protection = create();
    for (let i = 0; i < 5; i++) protection.busy(true);
    await waitFor(() => expect(protection.isProtected).toBe(true));
    for (let i = 0; i < 5; i++) protection.busy(true);
    expect(calls).toBe(1);
    protection.busy(false);
    await waitFor(() => expect(protection.isProtected).toBe(false));
    expect(calls).toBe(2);
    protection.stop();
  });

  test('applies the last change when it came during a call', async () => {
    const protection = create();
    protection.busy(true);
    protection.busy(false);
    await waitFor(() => expect(calls).toBe(2));
    await waitFor(() => expect(ecs.isProtected(TASK.taskArn)).toBe(false));
    protection.stop();
  });

  test('takes a failure inside a successful answer for a failure', async () => {
    ecs.protectionFailure = 'DEPLOYMENT_BLOCKED';
    const warn = vi.fn();
    const protection = new EcsProtection({
      client,
      task: TASK,
      logger: { ...SILENT_LOGGER, warn },
      metrics: NO_METRICS,
    });
    protection.busy(true);
    await waitFor(() => expect(warn).toHaveBeenCalled());
    expect(warn.mock.lastCall?.[1]).toMatchObject({ reason: 'DEPLOYMENT_BLOCKED' });
    expect(protection.isProtected).toBe(false);
    protection.stop();
  });
});

describe('the revision of a task', () => {
  const arn = (name: string) => `arn:aws:ecs:us-east-1:000000000000:task/rtms/${name}`;
  const own = { ...TASK, taskArn: arn('first'), taskDefinition: 'rtms-runner:1' };
  const nowhere = () =>
    new ECSClient({
      region: 'us-east-1',
      endpoint: 'http://127.0.0.1:1',
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
      maxAttempts: 1,
    });

  test('is the deployment that started it, and differs from the next one', async () => {
    const before = await revisionOf(client, own, SILENT_LOGGER);
    const first = await primaryRevision(client, { ...own, serviceName: 'runner' }, SILENT_LOGGER);
    expect(first && isOfRevision(first, before)).toBe(true);
    ecs.deploy();
    const second = await primaryRevision(client, { ...own, serviceName: 'runner' }, SILENT_LOGGER);
    const next = await revisionOf(client, { ...own, taskArn: arn('second') }, SILENT_LOGGER);
    expect(second && isOfRevision(second, before)).toBe(false);
    expect(second && isOfRevision(second, next)).toBe(true);
    expect(second && isOfRevision(second, undefined)).toBe(false);
  });

  test('is another one after a forced deployment of the same task definition', () => {
    const primary = { id: 'ecs-svc/2', taskDefinition: 'arn:…/rtms-runner:7', runningCount: 1 };
    expect(isOfRevision(primary, 'ecs-svc/1')).toBe(false);
  });

  test('is the task definition where ECS does not tell more', async () => {
    expect(await revisionOf(nowhere(), own, SILENT_LOGGER)).toBe('rtms-runner:1');
    const primary = { id: 'ecs-svc/2', taskDefinition: 'arn:…/rtms-runner:1', runningCount: 1 };
    expect(isOfRevision(primary, 'rtms-runner:1')).toBe(true);
  });

  test('of the service is unknown when ECS does not answer', async () => {
    const task = { ...own, serviceName: 'runner' };
    expect(await primaryRevision(nowhere(), task, SILENT_LOGGER)).toBeUndefined();
  });
});

describe('describeOwnTask', () => {
  async function metadata(answer: string, status = 200) {
    const agent = createServer((request, response) => {
      response.writeHead(status).end(request.url === '/v4/task' ? answer : '');
    });
    const port = await listen(agent, 0);
    try {
      return await describeOwnTask(`http://127.0.0.1:${port}/v4`);
    } finally {
      await closeServer(agent);
    }
  }

  test('reads who this task is', async () => {
    const taskId = '0123456789abcdef';
    expect(await metadata(JSON.stringify(METADATA))).toEqual({
      taskId,
      service: {
        cluster: METADATA.Cluster,
        taskArn: METADATA.TaskARN,
        taskId,
        serviceName: 'runner',
        taskDefinition: 'rtms-runner:1',
      },
    });
  });

  test('knows the id of a task that was started alone, which has no service', async () => {
    const { ServiceName: _, ...alone } = METADATA;
    expect(await metadata(JSON.stringify(alone))).toEqual({
      taskId: '0123456789abcdef',
      service: undefined,
    });
  });

  test.each([
    ['an answer without the task', '{"ServiceName":"runner"}'],
    ['an empty object', '{}'],
    ['text', 'starting'],
    ['null', 'null'],
    ['nothing', ''],
  ])('refuses %s', async (_what, answer) => {
    await expect(metadata(answer)).rejects.toMatchObject({ code: 'config/invalid' });
  });

  test.each([
    [429, 'ecs/metadata-unavailable'],
    [500, 'ecs/metadata-unavailable'],
    [503, 'ecs/metadata-unavailable'],
    [404, 'config/invalid'],
    [204, 'config/invalid'],
  ])('takes status %d for an error and not for "no service"', async (status, code) => {
    const answer = status === 204 ? '' : JSON.stringify(METADATA);
    await expect(metadata(answer, status)).rejects.toMatchObject({ code, detail: { status } });
  });

  test('says that the agent cannot be reached', async () => {
    await expect(describeOwnTask('http://127.0.0.1:1')).rejects.toMatchObject({
      code: 'ecs/metadata-unavailable',
      retryable: true,
    });
  });
});
