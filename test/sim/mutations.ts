// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what is found and put in its place is source text
import type { FaultName } from './faults.ts';
import type { SourceEdit } from './world/loader.ts';

/** A known bug, as one edit of the shipped code. */
export interface Mutation extends SourceEdit {
  /** In a few words, for the command line and the table of docs/simulation.md. */
  readonly name: string;
  /** What the line keeps from happening, and which commit brought it where it was a fix. */
  readonly why: string;
  /** Faults without which the line is never missed, and how often they come. @default all, four times as often as usual */
  readonly under?: { readonly faults: readonly FaultName[]; readonly rate: number };
}

/**
 * Bugs that the simulation has to find: fixes of this repository's history taken back, and single edits of a rule. `find`
 * stands in its file exactly once.
 */
export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'claim without its condition',
    file: 'shared/session-table/runner-writes.ts',
    find: 'ConditionExpression: `${ROW_EXISTS} AND ${unchangedSince(seen)}`,',
    replace: 'ConditionExpression: `${ROW_EXISTS} AND (${unchangedSince(seen)} OR ${ROW_EXISTS})`,',
    why: 'two tasks that read one free row both win it',
  },
  {
    name: 'claim keeps the epoch',
    file: 'shared/session-table/runner-writes.ts',
    find: 'const next = (seen.epoch ?? 0) + 1;',
    replace: 'const next = Math.max(1, seen.epoch ?? 0);',
    why: 'readers cannot tell the records of a new owner from those of a late one',
  },
  {
    name: 'proof that voids no reads',
    file: 'shared/session-table/runner-writes.ts',
    find: "return owned(claim, 'ADD proofs :one', { ':one': 1 });",
    replace: "return owned(claim, 'SET provedAt = :one', { ':one': 1 });",
    why: 'a task that has read the row before the proof claims it behind the proof (docs/adr/0005)',
    under: { faults: ['thaw_race'], rate: 10 },
  },
  {
    name: 'session goes on without a proof',
    file: 'runner/session/row-proofs.ts',
    find: 'const isOwn = await store.prove(claim);',
    replace: 'const isOwn = (await store.prove(claim)) || true;',
    why: 'an owner that was frozen writes on beside its successor',
  },
  {
    name: 'owner called dead too early',
    file: 'runner/ownership/tenure.ts',
    find: 'export const EXPIRE_AFTER_MS = 10_000;',
    replace: 'export const EXPIRE_AFTER_MS = 4_000;',
    why: 'a task is taken to be dead before its own lease is over',
    under: { faults: ['cut_off'], rate: 8 },
  },
  {
    name: 'lease outlives the expiry',
    file: 'runner/ownership/tenure.ts',
    find: 'export const FENCE_AFTER_MS = 7_000;',
    replace: 'export const FENCE_AFTER_MS = 25_000;',
    why: 'a task without the table writes on when others have claimed its streams',
    under: { faults: ['cut_off'], rate: 8 },
  },
  {
    name: 'death believed for ever',
    file: 'runner/ownership/orphans.ts',
    find: 'if (task.heartbeat === seen?.heartbeat) return { task };',
    replace: 'if (seen !== undefined) return { task };',
    why: 'a task that has recovered since it was last looked at loses a stream that it has just proved',
    under: { faults: ['thaw_race'], rate: 10 },
  },
  {
    name: 'dead owner never noticed',
    file: 'shared/lease/sightings.ts',
    find: 'return sighting !== undefined && askedAtMs - sighting.sinceMs >= expireAfterMs;',
    replace: 'return sighting === undefined && askedAtMs >= expireAfterMs;',
    why: 'the streams of a killed task are served by nobody',
  },
  {
    name: 'claim served in the next term',
    file: 'runner/session/row-claims.ts',
    find: `    // Claimed in a term that is over: others may think this task dead. It has to be claimed anew.
    if (!heartbeat.holds(term)) return 'later';`,
    replace: '',
    why: 'a claim whose answer comes after a freeze is served, though another task has claimed the row in between',
    under: { faults: ['freeze_in_call'], rate: 12 },
  },
  {
    name: 'writes not fenced',
    file: 'runner/serving.ts',
    find: 'return sessions.pool.mayWrite ? term : undefined;',
    replace: 'return term === undefined ? 0 : 0;',
    why: 'the buffers of a process that was frozen leave before any timer has noticed how late it is',
    under: { faults: ['freeze_in_call'], rate: 8 },
  },
  {
    name: 'writes fenced once',
    file: 'runner/kinesis/http/http-put-client.ts',
    find: 'if (this.#checkedTerm() !== term) throw notOwner();',
    replace: '',
    why: '09e85fa: a call that was allowed before a freeze leaves behind it',
    under: { faults: ['freeze_in_call'], rate: 8 },
  },
  {
    name: 'call of an earlier term leaves',
    file: 'runner/kinesis/http/http-put-client.ts',
    find: 'if (this.#checkedTerm() !== term) throw notOwner();',
    replace: 'this.#checkedTerm();',
    why: 'a call waits for its connection until its session is lost and the heartbeat is back: it may take 5 s, from the end of a lease of 7 s on',
    under: { faults: ['late_handshake'], rate: 20 },
  },
  {
    name: 'suspended sessions write',
    file: 'runner/session/pool.ts',
    find: "if (tenure.state === 'suspended') return false;",
    replace: "if (tenure.state === 'over') return false;",
    why: 'the heartbeat is back, and the row is not proved to be still this task’s',
    under: { faults: ['slow_table'], rate: 10 },
  },
  {
    name: 'index drops sessions',
    file: 'runner/ownership/reconcile.ts',
    find: "if (verdict.act === 'drop') verdict = judgeRead(session, await store.read(rtmsStreamId));",
    replace:
      "if (verdict.act === 'drop') verdict = judgeSession(session, indexed.get(rtmsStreamId));",
    why: 'the index lags behind a claim, and the new session is dropped with what it has received',
    under: { faults: ['index', 'kill'], rate: 8 },
  },
  {
    name: 'end that meets a new start',
    file: 'shared/session-table/conditions.ts',
    find: 'export const RUN_IS_NEWEST = `${OWNED_BY_ME} AND startEventTsMs <= :run`;',
    replace:
      'export const RUN_IS_NEWEST = `${OWNED_BY_ME} AND (startEventTsMs <= :run OR startEventTsMs > :run)`;',
    why: 'a start that comes between the owner’s last look and its end is served by nobody',
    under: { faults: ['stop_meets_start'], rate: 20 },
  },
  {
    name: 'restart claimed as nobody saw it',
    file: 'shared/session-table/restart-writes.ts',
    find: 'ConditionExpression: `${unchangedSince(seen)} AND ${RESTART_AS_SEEN} AND ${stopAsSeen(seen)}`,',
    replace:
      'ConditionExpression: `((${unchangedSince(seen)} AND ${RESTART_AS_SEEN} AND ${stopAsSeen(seen)}) OR attribute_exists(pk))`,',
    why: 'two tasks that see an ended stream both ask Zoom for another one',
    under: { faults: ['slow_restart'], rate: 8 },
  },
  {
    name: 'frames overtake the spool',
    file: 'runner/kinesis/spool/spool.ts',
    find: 'return this.#backlogs.size > 0 && this.#backlogs.get(partitionKey)?.isAhead === true;',
    replace:
      'return this.#backlogs.size < 0 && this.#backlogs.get(partitionKey)?.isAhead === true;',
    why: 'what comes now is written before what lies on the disk: a lane is out of order',
    under: { faults: ['spool'], rate: 20 },
  },
  {
    name: 'spool appends in the wrong order',
    file: 'runner/kinesis/spool/key-backlog.ts',
    find: 'this.#tail = [...batch, ...this.#tail];',
    replace: 'this.#tail = [...this.#tail, ...batch];',
    why: 'a batch that the disk refused comes behind what came after it',
    under: { faults: ['spool'], rate: 20 },
  },
  {
    name: 'refused entries count as written',
    file: 'runner/kinesis/put-records.ts',
    find: "if (!ErrorCode && SequenceNumber && ShardId) return { name: 'written', shardId: ShardId };",
    replace: "if (result) return { name: 'written', shardId: ShardId ?? 'shardId-000000000000' };",
    why: 'an entry that Kinesis throttles within a call that succeeds is lost, and nobody says so',
  },
  {
    name: 'losses without a gap event',
    file: 'runner/session/recording/gap-events.ts',
    find: 'if (!this.#options.mayWrite()) return;',
    replace: 'if (this.#options.mayWrite()) return;',
    why: 'frames that are dropped in an outage are missing and not named',
    under: { faults: ['kinesis', 'small_spool'], rate: 8 },
  },
  {
    name: 'blind time from the claim of a silent owner',
    file: 'runner/session/recording/blind-time.ts',
    find: 'if (blindSince !== undefined && blindSince.epoch === epoch) {',
    replace: 'if (blindSince !== undefined && blindSince.epoch !== epoch) {',
    why: 'an owner that dies before it has recorded anything hides the time between it and the owner before',
    under: { faults: ['kill_successor'], rate: 8 },
  },
  {
    name: 'heartbeats count for what was dropped',
    file: 'runner/session/row-proofs.ts',
    find: 'this.#untold.add(served);',
    replace: '',
    why: 'a task that is killed just after its lease came back looks as if it had received what it had dropped',
    under: { faults: ['kill_after_lapse'], rate: 30 },
  },
  {
    name: 'blind time ends before media flows',
    file: 'sdk/consumer/verdict/unaccounted.ts',
    find: "if (last?.end === 'ended' && endMs !== undefined) rest(endMs, run.length - 1, true);",
    replace: '',
    why: 'what comes between session_taken_over and the end of a stream is not missed, if no media ever flows under its owner',
    under: { faults: ['stop', 'zoom', 'dials', 'kinesis'], rate: 20 },
  },
  {
    name: 'what a lost owner held back is not named',
    file: 'sdk/consumer/verdict/unaccounted-losses.ts',
    find: "...losses('hole', time.fromMs, heldMs),",
    replace: '',
    why: 'lines of the transcript that an owner took along, which was killed in an outage, are missing and not named',
    under: { faults: ['kinesis', 'kill'], rate: 8 },
  },
  {
    name: 'heartbeat says that all is written',
    file: 'runner/kinesis/written-mark.ts',
    find: 'return Math.min(this.#doneUntilMs, Math.floor(nowMs - oldestAgeMs));',
    replace: 'return nowMs - UNWRITTEN_MS;',
    why: 'the next owner tells readers that one which was killed in an outage had written everything',
    under: { faults: ['kinesis', 'kill'], rate: 8 },
  },
  {
    name: 'row ends without a last event',
    file: 'runner/session/session-result.ts',
    find: 'if (!isRecorded) return unrecorded(result);',
    replace: '',
    why: 'a task that drains while Kinesis takes nothing ends the row, and nobody tells what is lost',
    under: { faults: ['kinesis', 'stop'], rate: 8 },
  },
  {
    name: 'recovered records unmarked',
    file: 'runner/kinesis/spool/key-backlog.ts',
    find: 'segment.load(frames, this.#disk.markRecovered);',
    replace: 'segment.load(frames, (record) => record);',
    why: 'nothing explains the numbers that were in the memory of the process that died',
    under: { faults: ['spool'], rate: 20 },
  },
  {
    name: 'spool tried once',
    file: 'runner/kinesis/open-producers.ts',
    find: 'if (!opened) opening.keepTrying((late) => started.useSpool(late));',
    replace: '',
    why: 'a task that starts while its disk fails goes on without a spool, and its old files stay there',
    under: { faults: ['spool'], rate: 20 },
  },
];
