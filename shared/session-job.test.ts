import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { decodeSessionJob, encodeSessionJob } from './session-job.ts';

property.prop([fc.string({ unit: 'binary', minLength: 1 })])(
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
])('%s is not a job', (body) => {
  expect(decodeSessionJob(body)).toBeUndefined();
});
