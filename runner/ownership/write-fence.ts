import type { KinesisClient } from '@aws-sdk/client-kinesis';
import { ServiceError } from '../../shared/errors.ts';

/**
 * Lets no record out while this task may not serve. A process that was frozen goes on where it stood: what
 * it had buffered would leave before any timer of ours has noticed how late it is.
 *
 * @param mayServe asked before every PutRecords call; it may close sessions and drop what they buffered
 */
export function fenceWrites(client: KinesisClient, mayServe: () => boolean): void {
  client.middlewareStack.add(
    (next, context) => async (args) => {
      // Not within the producer's own call: its buffers may change under it.
      await null;
      if (context['commandName'] === 'PutRecordsCommand' && !mayServe()) {
        throw new ServiceError('session/not-owner', 'this task may not write now');
      }
      return next(args);
    },
    { step: 'initialize', name: 'fenceWrites' },
  );
}
