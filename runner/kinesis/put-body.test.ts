import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import { encodePutBody } from './put-body.ts';

const entry = fc.record({
  partitionKey: fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('"', '\\', 'a#v#16778240'),
  ),
  data: fc.uint8Array({ maxLength: 200 }),
});

test.prop([fc.string({ unit: 'grapheme' }), fc.array(entry, { maxLength: 8 })])(
  'says what the SDK would say',
  (streamName, entries) => {
    expect(JSON.parse(encodePutBody(streamName, entries).toString())).toEqual({
      StreamName: streamName,
      Records: entries.map(({ partitionKey, data }) => ({
        Data: Buffer.from(data).toString('base64'),
        PartitionKey: partitionKey,
      })),
    });
  },
);
