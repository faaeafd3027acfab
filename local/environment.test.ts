import { expect, test } from 'vitest';
import { localEnvironment } from './environment.ts';

test("a developer's AWS account, endpoints and metadata addresses do not reach the local stack", () => {
  const environment = localEnvironment({
    PATH: '/bin',
    HOME: '/home/ana',
    AWS_PROFILE: 'prod',
    AWS_ENDPOINT_URL: 'https://example.com',
    AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://169.254.170.23/v1',
    ECS_CONTAINER_METADATA_URI_V4: 'http://169.254.170.2/v4/x',
    LAMBDA_TASK_ROOT: '/var/task',
    POWERTOOLS_METRICS_NAMESPACE: 'mine',
    ZM_RTMS_CLIENT: 'client',
  });
  expect(Object.keys(environment).sort()).toEqual([
    'AWS_CONFIG_FILE',
    'AWS_EC2_METADATA_DISABLED',
    'AWS_SHARED_CREDENTIALS_FILE',
    'HOME',
    'NO_PROXY',
    'PATH',
    'ZM_RTMS_CLIENT',
    'no_proxy',
  ]);
});

test('the local stack keeps the proxy for Zoom and bypasses it for loopback', () => {
  const environment = localEnvironment({
    HTTPS_PROXY: 'http://proxy:3128',
    NO_PROXY: 'corp, localhost',
  });
  expect(environment).toMatchObject({
    HTTPS_PROXY: 'http://proxy:3128',
    NO_PROXY: 'corp,localhost,127.0.0.1,::1',
  });
});
