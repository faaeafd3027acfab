import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { encodeAggregate } from '../../shared/record/kpl.ts';
import { print, time } from './timing.ts';

interface AggregationLibrary {
  aggregate(
    records: readonly object[],
    onEncoded: (encoded: object, done: () => void) => void,
    onDone: () => void,
    onError: (error: Error) => void,
  ): void;
}

/** What packing ten audio frames of one session costs, a fifth of a second. */
export function benchAggregate(): void {
  const library = createRequire(import.meta.url)('aws-kinesis-agg') as AggregationLibrary;
  const partitionKey = '0123456789abcdef0123456789abcdef';
  const frames = Array.from({ length: 10 }, (_, index) => Buffer.alloc(740, index));
  const records = frames.map((data) => ({ partitionKey, data }));
  const aggregate = encodeAggregate(partitionKey, frames);
  const timings = time([
    { name: 'encodeAggregate', run: () => encodeAggregate(partitionKey, frames) },
    {
      name: '  of which MD5, which the format demands',
      run: () => createHash('md5').update(aggregate).digest(),
    },
    {
      name: 'aws-kinesis-agg',
      run: () =>
        library.aggregate(
          records,
          (_, done) => done(),
          () => {},
          () => {},
        ),
    },
  ]);
  print('aggregate, ten frames of 740 B', timings);
}
