/** How many records and bytes one PutRecords call may have, and how many calls there may be. */
export interface CallLimits {
  readonly records: number;
  readonly bytes: number;
  /** Calls that may be made now. */
  readonly calls: number;
}

/** What packCalls must know of a record. */
export interface CallEntry {
  readonly sizeBytes: number;
  /** Needs a call of its own. */
  readonly isAlone: boolean;
}

/**
 * Packs records into PutRecords calls, in the order given: each call is filled before the next is begun. The entries
 * must have different partition keys, because a call promises no order between them.
 *
 * @param entryOf size of a record; asked once per record
 * @returns at most `limits.calls` calls; the caller offers again what did not fit
 */
export function packCalls<T>(
  records: readonly T[],
  limits: CallLimits,
  entryOf: (record: T) => CallEntry,
): T[][] {
  const calls: T[][] = [];
  let open: T[] | undefined;
  let openBytes = 0;
  for (const record of records) {
    const { sizeBytes, isAlone } = entryOf(record);
    const fits =
      open !== undefined &&
      !isAlone &&
      open.length < limits.records &&
      openBytes + sizeBytes <= limits.bytes;
    if (fits) {
      open?.push(record);
      openBytes += sizeBytes;
      continue;
    }
    // A later, smaller record might still fit, but then it would overtake this one call after call.
    if (calls.length >= limits.calls) break;
    const call = [record];
    calls.push(call);
    // A record in a call of its own closes that call; the one that was open before stays open.
    if (!isAlone) {
      open = call;
      openBytes = sizeBytes;
    }
  }
  return calls;
}
