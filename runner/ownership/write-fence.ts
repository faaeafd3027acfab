import type { KinesisClient } from '@aws-sdk/client-kinesis';
import { ServiceError } from '../../shared/errors.ts';

/**
 * Refuses PutRecords calls while this task may not serve. A process that was frozen goes on where it stood, and without
 * this check its buffers would leave before any timer has noticed how late it is.
 *
 * @param mayServe asked before every PutRecords call; it may end sessions and drop what they have buffered
 */
export function fenceWrites(client: KinesisClient, mayServe: () => boolean): void {
  client.middlewareStack.add(
    (next, context) => async (args) => {
      // Asked in a later microtask, because `mayServe` may change the buffers of the producer that is calling.
      await null;
      if (context['commandName'] === 'PutRecordsCommand' && !mayServe()) {
        throw new ServiceError('session/not-owner', 'this task may not write now');
      }
      return next(args);
    },
    { step: 'initialize', name: 'fenceWrites' },
  );
}
