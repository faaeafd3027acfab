import { expect, test } from 'vitest';
import { fairQueueGroup } from './job-queue.ts';

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
