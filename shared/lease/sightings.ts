/** What says that a member lives: a value that changes with every renewal. */
export interface Beating {
  readonly id: string;
  readonly heartbeat: number | string;
}

/** The last change that an observer has seen of another member's heartbeat. */
export interface Sighting {
  readonly heartbeat: Beating['heartbeat'];
  /** The observer's monotonic clock when it had seen this value for the first time. */
  readonly sinceMs: number;
}

export type Sightings = ReadonlyMap<string, Sighting>;

/** One look at the table, on the observer's monotonic clock: before it was asked and after it answered. */
export interface Look {
  readonly askedAtMs: number;
  readonly answeredAtMs: number;
}

/**
 * Takes in one look at the heartbeats. The time without a change runs from the answer that showed a value first to the
 * sending of the latest look, so a slow read or a paused observer never declares a live member dead.
 *
 * @returns what is known now; nothing of members that are gone from the table
 */
export function observe(seen: Sightings, members: Iterable<Beating>, look: Look): Sightings {
  const next = new Map<string, Sighting>();
  for (const { id, heartbeat } of members) {
    const before = seen.get(id);
    const isSame = before?.heartbeat === heartbeat;
    next.set(id, isSame ? before : { heartbeat, sinceMs: look.answeredAtMs });
  }
  return next;
}

/** @param askedAtMs when the latest look was sent out, on the clock of `sighting` */
export function isExpired(
  sighting: Sighting | undefined,
  askedAtMs: number,
  expireAfterMs: number,
): boolean {
  return sighting !== undefined && askedAtMs - sighting.sinceMs >= expireAfterMs;
}
