import { expect, test } from 'vitest';
import { readWebhookConfig } from './config.ts';

const required = {
  DEPLOYMENT: 'dev',
  SESSION_TABLE: 'table',
  JOB_QUEUE_URL: 'queue',
  ZOOM_WEBHOOK_SECRET_ID: 'secret',
};

test('the webhook’s defaults are Zoom’s hosts, five minutes of skew and INFO', () => {
  expect(readWebhookConfig(required)).toEqual({
    deployment: 'dev',
    sessionTable: 'table',
    jobQueueUrl: 'queue',
    secret: { secretId: 'secret', refreshMs: 600_000 },
    allowedHosts: ['zoom.us', 'zoom.com', 'zoomgov.com'],
    maxSkewSeconds: 300,
    logLevel: 'INFO',
  });
});

test('the environment of the webhook replaces its defaults', () => {
  const environment = {
    ...required,
    ALLOWED_HOSTS: '127.0.0.1',
    MAX_CLOCK_SKEW_SECONDS: '60',
    LOG_LEVEL: 'debug',
  };
  expect(readWebhookConfig(environment)).toMatchObject({
    allowedHosts: ['127.0.0.1'],
    maxSkewSeconds: 60,
    logLevel: 'DEBUG',
  });
});

test('the error of the webhook’s configuration names everything that is missing or wrong', () => {
  const environment = {
    SESSION_TABLE: '',
    ALLOWED_HOSTS: 'https://zoom.us',
    MAX_CLOCK_SKEW_SECONDS: '1h',
    LOG_LEVEL: 'loud',
  };
  expect(() => readWebhookConfig(environment)).toThrow(
    expect.objectContaining({
      code: 'config/invalid',
      detail: {
        problems: [
          'DEPLOYMENT is missing',
          'SESSION_TABLE is missing',
          'JOB_QUEUE_URL is missing',
          'ZOOM_WEBHOOK_SECRET_ID is missing',
          expect.stringContaining('ALLOWED_HOSTS'),
          expect.stringContaining('MAX_CLOCK_SKEW_SECONDS'),
          expect.stringContaining('LOG_LEVEL'),
        ],
      },
    }),
  );
});
