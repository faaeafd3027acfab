import type { KinesisClient } from '@aws-sdk/client-kinesis';
import { ServiceError } from '../../shared/errors.ts';

/**
 * Refuses PutRecords calls while this task may not serve. A process that was frozen goes on where it stood, and without
 * this check its buffers would leave before any timer has noticed how late it is.
 *
 * Asked twice a call: at its beginning, so that nothing is encoded in vain, and after the signature, right before the
 * bytes go to the socket. A process that is frozen in between would otherwise send, when it goes on, a call that was
 * allowed before. What a socket has taken already cannot be called back; readers refuse it by its epoch.
 *
 * @param mayServe may end sessions and drop what they have buffered
 */
export function fenceWrites(client: KinesisClient, mayServe: () => boolean): void {
  const fence = async (commandName: unknown): Promise<void> => {
    // Asked in a later microtask, because `mayServe` may change the buffers of the producer that is calling.
    await null;
    if (commandName !== 'PutRecordsCommand' || mayServe()) return;
    throw new ServiceError('session/not-owner', 'this task may not write now');
  };
  client.middlewareStack.add(
    (next, context) => async (args) => {
      await fence(context['commandName']);
      return next(args);
    },
    { step: 'initialize', name: 'fenceWrites' },
  );
  client.middlewareStack.add(
    (next, context) => async (args) => {
      await fence(context['commandName']);
      return next(args);
    },
    // The last step before the request handler: the first one on the way back, hence its name.
    { step: 'deserialize', name: 'fenceSignedWrites', priority: 'low' },
  );
}
