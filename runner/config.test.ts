import { expect, test } from 'vitest';
import { readRunnerConfig } from './config.ts';

const COMPLETE = {
  DEPLOYMENT: 'dev',
  AWS_REGION: 'us-east-1',
  SESSION_TABLE: 'table',
  JOB_QUEUE_URL: 'https://queue',
  ZOOM_SECRET_ID: 'secret',
  ALLOWED_HOSTS: 'zoom.us',
  MEDIA_STREAM: 'media',
  EVENTS_STREAM: 'events',
  RTMS_MEDIA: '{"video":false}',
  CAPACITY: '40',
  HEALTH_PORT: '0',
  SPOOL_DIR: '/tmp/spool',
  SPOOL_MAX_BYTES: '1000',
  LOG_LEVEL: 'INFO',
};

test('a complete environment becomes one frozen configuration', () => {
  const config = readRunnerConfig(COMPLETE);
  expect(config).toMatchObject({ capacity: 40, logLevel: 'info', media: { video: false } });
  expect(Object.isFrozen(config)).toBe(true);
});

test('without RTMS_MEDIA all media are asked for', () => {
  expect(readRunnerConfig({ ...COMPLETE, RTMS_MEDIA: '' }).media.video).not.toBe(false);
});

test('the error of the runner’s configuration names everything that is missing or wrong', () => {
  const { SESSION_TABLE: _, ...rest } = COMPLETE;
  const wrong = {
    CAPACITY: 'many',
    HEALTH_PORT: '70000',
    RTMS_MEDIA: '{"audio":{"codec":"MP3"}}',
    ALLOWED_HOSTS: 'https://zoom.us',
    LOG_LEVEL: 'loud',
  };
  expect(() => readRunnerConfig({ ...rest, ...wrong })).toThrow(
    expect.objectContaining({
      code: 'config/invalid',
      detail: {
        problems: [
          'SESSION_TABLE is missing',
          expect.stringMatching(/^ALLOWED_HOSTS: /),
          expect.stringMatching(/^RTMS_MEDIA: .*audio\.codec is MP3/),
          'CAPACITY must be a whole number from 1, not "many"',
          'HEALTH_PORT must be a whole number from 0 to 65535, not "70000"',
          'LOG_LEVEL must be one of debug, info, warn, error',
        ],
      },
    }),
  );
});

test('several cameras are accepted only where a product has protocol version 2', () => {
  const video = { dataOpt: 'VIDEO_SINGLE_INDIVIDUAL_STREAM', cameras: 4 };
  const several = { ...COMPLETE, RTMS_MEDIA: JSON.stringify({ video }) };
  expect(() => readRunnerConfig(several)).toThrow(
    'video.cameras is 4, allowed: 1 where no product',
  );
  const spoken = { ...several, RTMS_PROTOCOL: '{"meeting":{"version":2}}' };
  expect(readRunnerConfig(spoken).media.video).toMatchObject({ cameras: 4 });
});
