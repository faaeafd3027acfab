import { ATTRIBUTE, type RowWrite, type SessionRow } from './session-row.ts';

/**
 * The conditions under which the session table is written, each above the race that it decides. A writer whose
 * condition does not hold writes nothing at all and learns so from DynamoDB's answer.
 *
 * | condition | who writes under it | what it decides |
 * |---|---|---|
 * | `NOT_OF_ANOTHER_APP`, `newerThanRegister` | webhook function | the order of Zoom's events |
 * | `NOBODYS`, `NEW_ROW` | webhook function | a start that may not be used, and one that brought no stream |
 * | `OWNED_BY_ME` | the owning runner | an owner that lost its row |
 * | `unchangedSince` | a runner that wants to own | two runners that want one row, and an owner that came back |
 * | `RUN_IS_NEWEST`, `RUN_IS_SUPERSEDED` | the owning runner, at the end | an end that meets a new start |
 * | `NOT_STOPPED_BY_OPERATOR` | the owning runner, at the end | a restart that the operator does not want |
 * | `RESTART_AS_SEEN`, `stopAsSeen`, `RESTART_CLAIMED_BY_ME` | a runner that asks Zoom for a stream again | two that would ask |
 * | `RUN_AS_SEEN`, `UNTOLD` | a runner, of a row that nobody serves | who says that a stream was missed, and that it was said |
 * | `OWNED_AS_SEEN` | the operator | a request for an owner that has just changed |
 * | `HEARTBEAT_AS_SEEN` | a runner that clears up | a task that was only slow |
 */

/** `ttl` and `owner` are reserved words of DynamoDB, so every expression calls them `#ttl` and `#owner`. */
export const OWNER_NAME: RowWrite['ExpressionAttributeNames'] = { '#owner': 'owner' };
export const OWNER_AND_TTL_NAMES: RowWrite['ExpressionAttributeNames'] = {
  '#owner': 'owner',
  '#ttl': 'ttl',
};

/**
 * A row belongs to the Zoom app that named its stream first.
 *
 * ```text
 * app A   start ── row.app = A
 * app B                          stop of the same stream: refused
 * ```
 *
 * Without it anybody with a Zoom app on this deployment could end the streams of the others.
 */
export const NOT_OF_ANOTHER_APP = '(attribute_not_exists(#app) OR #app = :app)';

/**
 * The event is newer than the one that the register holds; at the same instant, its content is the greater.
 *
 * ```text
 * event_ts    1000           2000                       2000                        3000
 * register                   holds this one
 * delivery    older: no      same, content <= held: no  same, content greater: yes  newer: yes
 * ```
 *
 * Zoom repeats and reorders deliveries. As the comparison is total, every order of them ends in the same row.
 *
 * @param timestamp attribute that holds the event's `event_ts`
 * @param tieBreak attribute that orders two contents of one instant; undefined when the time is the whole content
 */
export function newerThanRegister(timestamp: string, tieBreak: string | undefined): string {
  const tie =
    tieBreak === undefined
      ? ''
      : ` OR (#${timestamp} = :${timestamp} AND #${tieBreak} < :${tieBreak})`;
  return `(attribute_not_exists(#${timestamp}) OR #${timestamp} < :${timestamp}${tie})`;
}

/**
 * Nobody serves the stream, and nobody waits to.
 *
 * ```text
 * Zoom       start at a ────────────── start at x, off the allow-list: refused
 * runner A            serves from a ·· goes on at a
 * ```
 *
 * A start whose addresses may not be used is recorded, so that somebody says that it was missed. Without this it would
 * take the addresses away from a stream that is served.
 */
export const NOBODYS = 'attribute_not_exists(#owner)';

/** The row is made now. Zoom's repeats of one event find it made, and told or about to be. */
export const NEW_ROW = 'attribute_not_exists(pk)';

/**
 * The row is still the writer's, in the epoch in which the writer claimed it.
 *
 * ```text
 * runner A   claims epoch 4 ── writes: yes ── frozen ······················ writes: refused
 * runner B                                            claims epoch 5
 * ```
 *
 * The owner alone is not enough: A may claim epoch 6 later, and what it had to say about epoch 4 is still void.
 */
export const OWNED_BY_ME = '#owner = :me AND epoch = :epoch';

/**
 * The row has neither changed hands nor been proved since the writer read it.
 *
 * ```text
 * runner A (owner)   no heartbeat for 10 s ·········· heartbeat is back, proves: proofs 0 -> 1
 * runner B           reads the row, proofs 0 ·································· claims: refused
 * runner C           reads the row, proofs 0 ── claims: epoch + 1, then A's proof is refused instead
 * ```
 *
 * Whoever writes first wins and voids what all others have read. Without `proofs` runner B would take a stream from
 * an owner that has just been told to go on (docs/adr/0005).
 *
 * @param seen the row as the writer read it; an attribute that was absent has to be absent still
 */
export function unchangedSince({ owner, epoch, proofs }: SessionRow): string {
  return [
    owner === undefined ? 'attribute_not_exists(#owner)' : '#owner = :owner',
    epoch === undefined ? 'attribute_not_exists(epoch)' : 'epoch = :epoch',
    proofs === undefined ? 'attribute_not_exists(proofs)' : 'proofs = :proofs',
  ].join(' AND ');
}

/** The values that `unchangedSince` compares with. */
export function valuesSeen({
  owner,
  epoch,
  proofs,
}: SessionRow): Readonly<Record<string, unknown>> {
  return {
    ...(owner !== undefined && { ':owner': owner }),
    ...(epoch !== undefined && { ':epoch': epoch }),
    ...(proofs !== undefined && { ':proofs': proofs }),
  };
}

/**
 * A write that adds attributes must not make a row: DynamoDB would create one from the key alone, when the time to
 * live of the one that was read is over.
 */
export const ROW_EXISTS = 'attribute_exists(pk)';

/**
 * Zoom has started nothing newer than the run that the owner served: the row can come to rest.
 *
 * ```text
 * Zoom       start 1000 ················ stop 2000
 * runner A            serves run 1000 ···········  ends run 1000: the row has no owner any more
 * ```
 */
export const RUN_IS_NEWEST = `${OWNED_BY_ME} AND startEventTsMs <= :run`;

/**
 * Zoom has started a newer run meanwhile: the row must go back to be claimed for it.
 *
 * ```text
 * Zoom       start 1000 ················ stop 2000 ── start 3000
 * runner A            serves run 1000 ································  ends run 1000: the row is offered again
 * ```
 *
 * With one write for both cases, a start that arrives between the owner's last look and its end would be lost: the
 * owner takes itself out, and the job of that start was deleted when a runner found the row owned.
 */
export const RUN_IS_SUPERSEDED = `${OWNED_BY_ME} AND startEventTsMs > :run`;

/** The newest start is the one that was seen; together with `unchangedSince`. */
export const RUN_AS_SEEN = 'startEventTsMs = :run';

/**
 * The events that the row asks for have not been told; together with `unchangedSince`.
 *
 * ```text
 * runner A   decides, epoch 5, untold ── writes the event ── dies
 * runner B                                                       finds A dead ── writes the same event ── told
 * ```
 *
 * Both write the same bytes under the same identity, which the row fixed before. Readers take them once.
 */
export const UNTOLD = 'untold = :yes';

/**
 * The stream has the owner that the operator saw on the screen.
 *
 * ```text
 * operator   sees runner A, epoch 4 ·················· requests a hand-over: refused, runner B has just begun
 * runner B                            claims epoch 5
 * ```
 *
 * It does not ask for `proofs`, as `unchangedSince` does: a proof leaves the owner in place, and the request with it.
 */
export const OWNED_AS_SEEN = '#owner = :owner AND epoch = :epoch';

/**
 * The task's counter stands where the writer saw it last.
 *
 * ```text
 * task A     beat 7 ·········· frozen for a minute ·········· beat 8
 * runner B             sees 7 ·································· deletes A's row: refused
 * ```
 */
export const HEARTBEAT_AS_SEEN = 'heartbeat = :seen';

/**
 * The operator has not asked for a stop that the owner has not seen yet.
 *
 * ```text
 * Zoom       ends the stream, reason 13
 * operator                              requests a stop
 * runner A   ends the run ························· with a restart: refused; without one: yes
 * ```
 */
export const NOT_STOPPED_BY_OPERATOR = `(attribute_not_exists(${ATTRIBUTE.operatorRequest}) OR ${ATTRIBUTE.operatorRequest} <> :stop)`;

export const RESTART_NAMES: RowWrite['ExpressionAttributeNames'] = {
  '#owner': 'owner',
  '#restart': 'restart',
  '#outcome': 'outcome',
};

/**
 * The restart is open and stands where it was seen; together with `unchangedSince`, as every claim raises the epoch.
 *
 * ```text
 * runner A   reads it, epoch 4 ── claims: epoch 5 ── asks Zoom ── writes the answer: next try at 12:00:10
 * runner B   reads it, epoch 4 ················· claims: refused
 * runner C   reads it, epoch 5, before the answer ············································ claims: refused
 * ```
 */
export const RESTART_AS_SEEN =
  'attribute_not_exists(#restart.#outcome) AND #restart.nextAtMs = :next_at';

/** No stop has come since: one that somebody decided takes the restart away. */
export function stopAsSeen({ stopEventTsMs }: SessionRow): string {
  return stopEventTsMs === undefined
    ? 'attribute_not_exists(stopEventTsMs)'
    : 'stopEventTsMs = :stopped';
}

/**
 * The task that writes an answer still has the claim under which it asked.
 *
 * ```text
 * runner A   claims: epoch 5 ── asks ·········· frozen for 20 s ·········· writes the answer: refused
 * runner B                             claims: epoch 6
 * ```
 */
export const RESTART_CLAIMED_BY_ME = '#owner = :restarts AND epoch = :epoch AND #restart.#by = :me';
