import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { isStreamId } from './input-limits.ts';
import { decodeSessionJob, encodeSessionJob } from './session-job.ts';

property.prop([fc.string({ unit: 'binary', minLength: 1 }).filter(isStreamId)])(
  'any stream id survives, as printable ASCII',
  (rtmsStreamId) => {
    const body = encodeSessionJob(rtmsStreamId);
    expect(body).toMatch(/^[\x20-\x7e]+$/);
    expect(decodeSessionJob(body)).toEqual({ version: 1, rtmsStreamId });
  },
);

test.each([
  'no JSON',
  'null',
  '7',
  '{}',
  '{"version": 2, "rtmsStreamId": "s"}',
  '{"version": 1, "rtmsStreamId": ""}',
  '{"version": 1, "rtmsStreamId": 7}',
  '{"version": 1, "rtmsStreamId": "a\\nb"}',
  '{"version": 1, "rtmsStreamId": "\\ud800"}',
  `{"version": 1, "rtmsStreamId": "${'x'.repeat(241)}"}`,
  `{"version": 1, "rtmsStreamId": "${'é'.repeat(121)}"}`,
])('%s is not a job', (body) => {
  expect(decodeSessionJob(body)).toBeUndefined();
});
