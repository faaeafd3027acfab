export interface CallLimits {
  readonly records: number;
  readonly bytes: number;
  /** Calls that may be made now. */
  readonly calls: number;
}

/** What a lane offers, as far as packing must know it. */
export interface CallEntry {
  readonly sizeBytes: number;
  /** Wants a call of its own. */
  readonly alone: boolean;
}

/**
 * Packs the records that lanes offer into PutRecords calls, in the order given: each call is filled before
 * the next is begun. At most one record per partition key, so order inside a call means nothing.
 *
 * @param sizeOf what an entry weighs; asked once per entry
 * @returns at most `limits.calls` calls; what did not fit is offered again next time
 */
export function packCalls<T>(
  entries: readonly T[],
  limits: CallLimits,
  sizeOf: (entry: T) => CallEntry,
): T[][] {
  const calls: T[][] = [];
  let open: T[] | undefined;
  let openBytes = 0;
  for (const entry of entries) {
    const { sizeBytes, alone } = sizeOf(entry);
    const fits =
      open !== undefined &&
      !alone &&
      open.length < limits.records &&
      openBytes + sizeBytes <= limits.bytes;
    if (fits) {
      open?.push(entry);
      openBytes += sizeBytes;
      continue;
    }
    if (calls.length >= limits.calls) {
      // A later, smaller entry may still fit, but older ones must not be overtaken call after call.
      break;
    }
    const call = [entry];
    calls.push(call);
    // A lonely record closes its own call; the one that was open before stays open.
    if (!alone) {
      open = call;
      openBytes = sizeBytes;
    }
  }
  return calls;
}
