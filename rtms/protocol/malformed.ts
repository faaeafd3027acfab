import { ServiceError } from '../../shared/errors.ts';
import type { PartialMediaSource } from './media-type.ts';

/**
 * A message of which nothing can be kept: it becomes a gap.
 *
 * @param field the wire name of the first offending field
 */
export function malformed(
  msgType: number,
  field: string,
  from: PartialMediaSource = {},
): ServiceError {
  const { userId, channelId } = from;
  return new ServiceError('rtms/malformed-message', `message ${msgType}: bad ${field}`, {
    detail: {
      msgType,
      field,
      ...(userId !== undefined && { userId }),
      ...(channelId !== undefined && { channelId }),
    },
  });
}
