import { describe, expect, test } from 'vitest';
import { writeEnd, writeMissed, writeMissedByOwner, writeTold } from './end-writes.ts';
import { writeAskBack, writeOperatorRequest } from './operator-writes.ts';
import {
  writeRestartClaim,
  writeRestartLeft,
  writeRestartOutcome,
  writeRestartResult,
} from './restart-writes.ts';
import {
  writeClaim,
  writeConnected,
  writeLeaving,
  writeLeftOpen,
  writeProof,
  writeQuarantine,
  writeRelease,
  writeTookOver,
} from './runner-writes.ts';
import type { RowDeletion, RowWrite, SessionRow } from './session-row.ts';
import { deleteTask, writeHeartbeat } from './task-writes.ts';
import { type StartNoticeRow, writeRegister, writeStartNotice } from './webhook-writes.ts';

const NOW_MS = 1_738_392_033_999;
const WEEK_LATER = 1_738_392_033 + 7 * 24 * 3600;
const CLAIM = { rtmsStreamId: 's', taskId: 'me', epoch: 4 };
const RUN = { startEventTsMs: 1000, reason: 6, atMs: NOW_MS } as const;
const UNTOUCHED: SessionRow = { pk: 'SESSION#s', rtmsStreamId: 's', startEventTsMs: 1000 };
const OWNED: SessionRow = { ...UNTOUCHED, owner: 'other', epoch: 3, proofs: 2 };
const TASK = { taskId: 'me', slotsUsed: 1.5, slotsTotal: 10, draining: false };
const PENALTY = { strikes: 2, quarantinedUntilMs: NOW_MS + 600_000 };

const ABSENT =
  'attribute_not_exists(#owner) AND attribute_not_exists(epoch) AND attribute_not_exists(proofs)';
const AS_SEEN = '#owner = :owner AND epoch = :epoch AND proofs = :proofs';
const OURS = '#owner = :me AND epoch = :epoch';

type Case = readonly [
  title: string,
  write: RowWrite,
  update: string,
  condition: string | undefined,
];

const { rest, again } = writeEnd(CLAIM, RUN, NOW_MS);
const RESTART = { sinceMs: NOW_MS, reason: 13, tries: 0, nextAtMs: NOW_MS } as const;
const { ask = rest } = writeEnd(CLAIM, { ...RUN, restart: RESTART }, NOW_MS);
const WANTED_AGAIN: SessionRow = { ...UNTOUCHED, owner: 'RESTARTS', epoch: 3, restart: RESTART };
const NOT_STOPPED = '(attribute_not_exists(operatorWish) OR operatorWish <> :stop)';
const GIVEN = `${OURS} AND ${NOT_STOPPED}`;
const OPEN = 'attribute_not_exists(#restart.#outcome) AND #restart.nextAtMs = :next_at';
const UNPROVED = '#owner = :owner AND epoch = :epoch AND attribute_not_exists(proofs)';
const common = { rtmsStreamId: 's', app: 'default', ttl: 9 } as const;

const MISSED = { reason: 'no_room', atMs: NOW_MS, epoch: 4, sequence: 1, ledger: [] };
const MISSING =
  'endedStartEventTsMs = :run, endedReason = :reason, endedAtMs = :at, missed = :missed, untold = :yes, #ttl = :ttl';
const told = writeTold({ ...OWNED, endedStartEventTsMs: 1000, untold: true });
const NOTICE: StartNoticeRow = {
  rtmsStreamId: 's',
  startEventTsMs: 1000,
  product: 'meeting',
  entityId: 'e',
  app: 'default',
  requestedAtMs: 2000,
  ttl: 9,
  notice: { event: 'rtms.start_failed', numbers: { reason: 10 } },
};

const CASES: readonly Case[] = [
  [
    'a claim of a row that nobody has claimed',
    writeClaim(UNTOUCHED, 'me', NOW_MS, 0),
    'SET #owner = :me, epoch = :next, claimedAtMs = :now, runEpoch = :next REMOVE strikes, missed, inPart, quarantinedUntilMs, proofs, handedBack, handedOverBy, handedOverAtMs, endedReason, endedAtMs, restart, blindSince',
    `attribute_exists(pk) AND ${ABSENT}`,
  ],
  [
    'a claim of a row that Zoom has announced and nobody has claimed: with the announcement, for those after it',
    writeClaim({ ...UNTOUCHED, requestedAtMs: 2_000 }, 'me', NOW_MS, 0),
    'SET #owner = :me, epoch = :next, claimedAtMs = :now, runEpoch = :next, runRequestedAtMs = :requested REMOVE strikes, missed, inPart, quarantinedUntilMs, proofs, handedBack, handedOverBy, handedOverAtMs, endedReason, endedAtMs, restart, blindSince',
    `attribute_exists(pk) AND ${ABSENT}`,
  ],
  [
    'a claim from a dead owner of a stream with strikes',
    writeClaim(OWNED, 'me', NOW_MS, 1),
    'SET #owner = :me, epoch = :next, claimedAtMs = :now, strikes = :strikes REMOVE quarantinedUntilMs, proofs, handedBack, handedOverBy, handedOverAtMs, endedReason, endedAtMs, restart, blindSince',
    `attribute_exists(pk) AND ${AS_SEEN}`,
  ],
  [
    'a claim of a stream that nobody is known to receive',
    writeClaim(OWNED, 'me', NOW_MS, 0, { blindSince: { atMs: 5 } }),
    'SET #owner = :me, epoch = :next, claimedAtMs = :now, blindSince = :blind REMOVE strikes, quarantinedUntilMs, proofs, handedBack, handedOverBy, handedOverAtMs, endedReason, endedAtMs, restart',
    `attribute_exists(pk) AND ${AS_SEEN}`,
  ],
  ['that the records tell of the change', writeTookOver(CLAIM), 'REMOVE blindSince', OURS],
  ['a proof', writeProof(CLAIM), 'ADD proofs :one', OURS],
  ['the news that media flows', writeConnected(CLAIM), 'SET connectedEpoch = :epoch', OURS],
  [
    'since when an owner that ends does not receive the stream',
    writeLeaving(CLAIM, { atMs: 5 }),
    'SET blindSince = :blind',
    OURS,
  ],
  [
    'a release',
    writeRelease(CLAIM, NOW_MS, {}),
    'SET #owner = :unowned, handedOverBy = :me, handedOverAtMs = :at REMOVE operatorWish, strikes',
    GIVEN,
  ],
  [
    'a release by an owner that could not connect',
    writeRelease(CLAIM, NOW_MS, { handedBack: true }),
    'SET #owner = :unowned, handedOverBy = :me, handedOverAtMs = :at, handedBack = :yes REMOVE operatorWish, strikes',
    GIVEN,
  ],
  [
    'a release of a stream whose media has flowed',
    writeRelease(CLAIM, NOW_MS, { hasFlowed: true }),
    'SET #owner = :unowned, handedOverBy = :me, handedOverAtMs = :at, connectedEpoch = :epoch REMOVE operatorWish, strikes',
    GIVEN,
  ],
  [
    'a release of a stream whose change of owner is in the records',
    writeRelease(CLAIM, NOW_MS, { tookOver: true }),
    'SET #owner = :unowned, handedOverBy = :me, handedOverAtMs = :at REMOVE operatorWish, strikes, blindSince',
    GIVEN,
  ],
  [
    'a release by an owner that has lost something',
    writeRelease(CLAIM, NOW_MS, { inPart: true }),
    'SET #owner = :unowned, handedOverBy = :me, handedOverAtMs = :at, inPart = :yes REMOVE operatorWish, strikes',
    GIVEN,
  ],
  [
    'a release after a first defect',
    writeRelease(CLAIM, NOW_MS, { penalty: { strikes: 1 } }),
    'SET #owner = :unowned, handedOverBy = :me, handedOverAtMs = :at, strikes = :strikes REMOVE operatorWish',
    GIVEN,
  ],
  [
    'a release into quarantine',
    writeRelease(CLAIM, NOW_MS, { penalty: PENALTY }),
    'SET #owner = :unowned, handedOverBy = :me, handedOverAtMs = :at, strikes = :strikes, quarantinedUntilMs = :until REMOVE operatorWish',
    GIVEN,
  ],
  [
    'a release of a row that an operator wants to be stopped',
    writeRelease(CLAIM, NOW_MS, { keepsRequest: true }),
    'SET #owner = :unowned, handedOverBy = :me, handedOverAtMs = :at REMOVE strikes',
    OURS,
  ],
  [
    'a row of which the last event was lost before media flowed',
    writeLeftOpen(CLAIM, {}),
    'SET #owner = :unowned REMOVE operatorWish, strikes',
    GIVEN,
  ],
  [
    'a row whose last event was lost',
    writeLeftOpen(CLAIM, { hasFlowed: true, tookOver: true, blindSince: { atMs: 5 } }),
    'SET #owner = :unowned, connectedEpoch = :epoch, blindSince = :blind REMOVE operatorWish, strikes',
    GIVEN,
  ],
  [
    'a row whose last event was lost, and its change of owner was not',
    writeLeftOpen(CLAIM, { tookOver: true, inPart: true }),
    'SET #owner = :unowned, inPart = :yes REMOVE operatorWish, strikes, blindSince',
    GIVEN,
  ],
  [
    'a row that an operator wants to be stopped, and whose last event was lost',
    writeLeftOpen(CLAIM, { keepsRequest: true }),
    'SET #owner = :unowned REMOVE strikes',
    OURS,
  ],
  [
    'a row into quarantine whose last event was lost',
    writeLeftOpen(CLAIM, { penalty: PENALTY, keepsRequest: true }),
    'SET #owner = :unowned, strikes = :strikes, quarantinedUntilMs = :until',
    OURS,
  ],
  [
    'a quarantine after the death of an owner',
    writeQuarantine(OWNED, PENALTY),
    'SET #owner = :unowned, strikes = :strikes, quarantinedUntilMs = :until',
    AS_SEEN,
  ],
  [
    'an end that leaves the row at rest',
    rest,
    'SET endedStartEventTsMs = :run, endedReason = :reason, endedAtMs = :at, #ttl = :ttl REMOVE #owner, operatorWish',
    `${OURS} AND startEventTsMs <= :run`,
  ],
  [
    'an end of a run whose media has flowed',
    writeEnd(CLAIM, { startEventTsMs: 1, reason: 6, atMs: 2, hasFlowed: true }, NOW_MS).rest,
    'SET endedStartEventTsMs = :run, endedReason = :reason, endedAtMs = :at, #ttl = :ttl, connectedEpoch = :epoch REMOVE #owner, operatorWish',
    `${OURS} AND startEventTsMs <= :run`,
  ],
  [
    'an end of a run whose change of owner is in the records',
    writeEnd(CLAIM, { startEventTsMs: 1, reason: 6, atMs: 2, tookOver: true }, NOW_MS).rest,
    'SET endedStartEventTsMs = :run, endedReason = :reason, endedAtMs = :at, #ttl = :ttl REMOVE #owner, operatorWish, blindSince',
    `${OURS} AND startEventTsMs <= :run`,
  ],
  [
    'an end that offers the row for a newer run',
    again,
    'SET endedStartEventTsMs = :run, endedReason = :reason, endedAtMs = :at, #ttl = :ttl, #owner = :unowned REMOVE operatorWish',
    `${OURS} AND startEventTsMs > :run`,
  ],
  [
    'the end of a run that nobody served',
    writeMissed(UNTOUCHED, MISSED, 'me', NOW_MS),
    `SET #owner = :me, epoch = :next, runEpoch = :next, ${MISSING} REMOVE operatorWish, handedOverBy, handedOverAtMs`,
    `startEventTsMs = :run AND ${ABSENT}`,
  ],
  [
    'the end of a run that its owner could not connect to',
    writeMissedByOwner(CLAIM, MISSED, 1000, NOW_MS),
    `SET ${MISSING} REMOVE operatorWish`,
    OURS,
  ],
  [
    'that the records say what was missed',
    told.rest,
    'REMOVE #owner, untold',
    `untold = :yes AND ${AS_SEEN} AND startEventTsMs <= :run`,
  ],
  [
    'the same of a stream that has a newer run',
    told.again,
    'SET #owner = :unowned REMOVE untold',
    `untold = :yes AND ${AS_SEEN} AND startEventTsMs > :run`,
  ],
  [
    'a notice about a start that brought no stream',
    writeStartNotice(NOTICE),
    'SET #rtmsStreamId = :rtmsStreamId, #startEventTsMs = :startEventTsMs, #product = :product, #entityId = :entityId, #app = :app, #requestedAtMs = :requestedAtMs, #ttl = :ttl, #notice = :notice, #serverUrls = :serverUrls, #endedStartEventTsMs = :endedStartEventTsMs, #endedReason = :endedReason, #owner = :owner, #untold = :untold',
    'attribute_not_exists(pk)',
  ],
  [
    'a heartbeat outside ECS',
    writeHeartbeat(TASK, NOW_MS),
    'SET #owner = :tasks, taskId = :taskId, costUsed = :used, costTotal = :total, draining = :draining, strained = :strained, #ttl = :ttl, renewedAtMs = :served, aliveAtMs = :now ADD heartbeat :one',
    undefined,
  ],
  [
    'a heartbeat in ECS',
    writeHeartbeat({ ...TASK, revision: 'ecs-svc/1' }, NOW_MS),
    'SET #owner = :tasks, taskId = :taskId, costUsed = :used, costTotal = :total, draining = :draining, strained = :strained, #ttl = :ttl, renewedAtMs = :served, aliveAtMs = :now, revision = :revision ADD heartbeat :one',
    undefined,
  ],
  [
    'a heartbeat that says until when everything is written',
    writeHeartbeat({ ...TASK, wroteUntilMs: NOW_MS - 900 }, NOW_MS),
    'SET #owner = :tasks, taskId = :taskId, costUsed = :used, costTotal = :total, draining = :draining, strained = :strained, #ttl = :ttl, renewedAtMs = :served, aliveAtMs = :now, wroteUntilMs = :wrote ADD heartbeat :one',
    undefined,
  ],
  [
    'an operator’s request',
    writeOperatorRequest(OWNED, 'stop'),
    'SET operatorWish = :request',
    '#owner = :owner AND epoch = :epoch',
  ],
  ['a request to give a stream back', writeAskBack(OWNED), 'SET operatorWish = :request', AS_SEEN],
  [
    'a stop',
    writeRegister({
      ...common,
      register: 'stop',
      value: { stopEventTsMs: 2000, stopReason: 6 },
    }),
    'SET #stopEventTsMs = :stopEventTsMs, #stopReason = :stopReason, #rtmsStreamId = :rtmsStreamId, #app = :app, #ttl = :ttl',
    '(attribute_not_exists(#app) OR #app = :app) AND (attribute_not_exists(#stopEventTsMs) OR #stopEventTsMs < :stopEventTsMs OR (#stopEventTsMs = :stopEventTsMs AND #stopReason < :stopReason))',
  ],
  [
    'an interruption, whose time is its whole content',
    writeRegister({ ...common, register: 'interrupt', value: { interruptEventTsMs: 3 } }),
    'SET #interruptEventTsMs = :interruptEventTsMs, #rtmsStreamId = :rtmsStreamId, #app = :app, #ttl = :ttl',
    '(attribute_not_exists(#app) OR #app = :app) AND (attribute_not_exists(#interruptEventTsMs) OR #interruptEventTsMs < :interruptEventTsMs)',
  ],
  [
    'the addresses of an interruption',
    writeRegister({
      ...common,
      register: 'move',
      value: { movedEventTsMs: 3, movedServerUrls: ['wss://b'] },
      digest: 'd',
    }),
    'SET #movedEventTsMs = :movedEventTsMs, #movedServerUrls = :movedServerUrls, #movedDigest = :movedDigest, #rtmsStreamId = :rtmsStreamId, #app = :app, #ttl = :ttl',
    '(attribute_not_exists(#app) OR #app = :app) AND (attribute_not_exists(#movedEventTsMs) OR #movedEventTsMs < :movedEventTsMs OR (#movedEventTsMs = :movedEventTsMs AND #movedDigest < :movedDigest))',
  ],
  [
    'a start, which takes the facts away that it does not have',
    writeRegister({
      ...common,
      register: 'start',
      value: {
        startEventTsMs: 1,
        serverUrls: ['wss://a'],
        product: 'meeting',
        entityId: 'e',
        app: 'default',
        requestedAtMs: 2,
        accountId: 'a',
      },
      digest: 'd',
    }),
    'SET #startEventTsMs = :startEventTsMs, #serverUrls = :serverUrls, #product = :product, #entityId = :entityId, #app = :app, #requestedAtMs = :requestedAtMs, #accountId = :accountId, #startDigest = :startDigest, #rtmsStreamId = :rtmsStreamId, #ttl = :ttl, #owner = if_not_exists(#owner, :unowned) REMOVE #operatorId, #hostId, #meetingId, #webinarId, #topic, #isOriginalHost, #sessionKey',
    '(attribute_not_exists(#app) OR #app = :app) AND (attribute_not_exists(#startEventTsMs) OR #startEventTsMs < :startEventTsMs OR (#startEventTsMs = :startEventTsMs AND #startDigest < :startDigest))',
  ],
  [
    'an end that wants a restart',
    ask,
    'SET endedStartEventTsMs = :run, endedReason = :reason, endedAtMs = :at, #ttl = :ttl, #restart = :restart, #owner = :restarts REMOVE operatorWish',
    `${OURS} AND startEventTsMs <= :run AND ${NOT_STOPPED}`,
  ],
  [
    'a missed run that wants a restart',
    writeMissed(UNTOUCHED, MISSED, 'me', NOW_MS, RESTART),
    `SET #owner = :me, epoch = :next, runEpoch = :next, ${MISSING}, #restart = :restart REMOVE operatorWish, handedOverBy, handedOverAtMs`,
    `startEventTsMs = :run AND ${ABSENT} AND ${NOT_STOPPED}`,
  ],
  [
    'the end of a run that its owner could not connect to and that is wanted again',
    writeMissedByOwner(CLAIM, MISSED, 1000, NOW_MS, RESTART),
    `SET ${MISSING}, #restart = :restart REMOVE operatorWish`,
    `${OURS} AND ${NOT_STOPPED}`,
  ],
  [
    'that the records say what was missed, of a stream that is wanted again',
    writeTold({ ...OWNED, endedStartEventTsMs: 1000, untold: true, restart: RESTART }).rest,
    'SET #owner = :restarts REMOVE untold',
    `untold = :yes AND ${AS_SEEN} AND startEventTsMs <= :run`,
  ],
  [
    'a claim of a stream that continues another',
    writeClaim(UNTOUCHED, 'me', NOW_MS, 0, {
      continues: { rtmsStreamId: 'b', reason: 13, tries: 1, sinceMs: 1 },
    }),
    'SET #owner = :me, epoch = :next, claimedAtMs = :now, runEpoch = :next, continues = :continues REMOVE strikes, missed, inPart, quarantinedUntilMs, proofs, handedBack, handedOverBy, handedOverAtMs, endedReason, endedAtMs, restart, blindSince',
    `attribute_exists(pk) AND ${ABSENT}`,
  ],
  [
    'a claim of a restart',
    writeRestartClaim(WANTED_AGAIN, 'me', NOW_MS, true),
    'SET #restart = :restart, epoch = :next',
    `${UNPROVED} AND ${OPEN} AND attribute_not_exists(stopEventTsMs)`,
  ],
  [
    'a claim of a restart after a stop',
    writeRestartClaim({ ...WANTED_AGAIN, stopEventTsMs: 5, stopReason: 13 }, 'me', NOW_MS, true),
    'SET #restart = :restart, epoch = :next',
    `${UNPROVED} AND ${OPEN} AND stopEventTsMs = :stopped`,
  ],
  [
    'the result of a restart',
    writeRestartResult(CLAIM, RESTART),
    'SET #restart = :restart',
    '#owner = :restarts AND epoch = :epoch AND #restart.#by = :me',
  ],
  [
    'the outcome of a restart',
    writeRestartOutcome(WANTED_AGAIN, 'resumed'),
    'SET #restart = :restart',
    `${UNPROVED} AND ${OPEN}`,
  ],
  [
    'a row that leaves the restarts',
    writeRestartLeft(WANTED_AGAIN, 'rest'),
    'REMOVE #owner',
    UNPROVED,
  ],
  [
    'a row that leaves the restarts to be served',
    writeRestartLeft(WANTED_AGAIN, 'unowned'),
    'SET #owner = :unowned',
    UNPROVED,
  ],
];

describe.each(CASES)('%s', (_title, write, update, condition) => {
  test('is written under its condition', () => {
    expect(write.UpdateExpression).toBe(update);
    expect(write.ConditionExpression).toBe(condition);
  });

  // DynamoDB refuses a write with a name or value too many or too few.
  test('declares every name and value that it uses, and no other', () => {
    const text = `${write.UpdateExpression} ${write.ConditionExpression ?? ''}`;
    const used = (pattern: RegExp) => [...new Set(text.match(pattern))].sort();
    expect(used(/#\w+/g)).toEqual(Object.keys(write.ExpressionAttributeNames).sort());
    expect(used(/:\w+/g)).toEqual(Object.keys(write.ExpressionAttributeValues).sort());
  });

  test('calls no reserved word by its name', () => {
    const text = `${write.UpdateExpression} ${write.ConditionExpression ?? ''}`;
    expect(text).not.toMatch(/(?<![#:\w])(?:owner|ttl|app|product|topic)\b/);
  });

  test('has a value for each of them, and a key of the table', () => {
    expect(Object.values(write.ExpressionAttributeValues)).not.toContain(undefined);
    expect(write.Key.pk).toMatch(/^(?:SESSION#s|TASK#me)$/);
  });
});

test.each<[string, RowWrite | RowDeletion, object]>([
  ['the first epoch', writeClaim(UNTOUCHED, 'me', NOW_MS, 0), { ':next': 1, ':me': 'me' }],
  ['the next epoch', writeClaim(OWNED, 'me', NOW_MS, 0), { ':epoch': 3, ':next': 4 }],
  [
    'since when nobody receives the stream, and in which epoch that was left',
    writeClaim(OWNED, 'me', NOW_MS, 0, { blindSince: { atMs: 5, endedReason: 13 } }),
    { ':blind': { epoch: 4, atMs: 5, endedReason: 13 } },
  ],
  [
    'when an owner left a stream of which the last event was lost',
    writeLeftOpen(CLAIM, { hasFlowed: true, blindSince: { atMs: 5 } }),
    { ':blind': { epoch: 4, atMs: 5 } },
  ],
  ['the instant of a release', writeRelease(CLAIM, 77, {}), { ':at': 77, ':unowned': 'UNOWNED' }],
  ['a week for late duplicates', rest, { ':ttl': WEEK_LATER, ':run': 1000, ':reason': 6 }],
  ['the owner that is no more', again, { ':unowned': 'UNOWNED', ':epoch': 4 }],
  [
    'the reason of a missed run',
    writeMissed(OWNED, MISSED, 'me', NOW_MS),
    { ':reason': 'missed', ':run': 1000, ':missed': MISSED, ':next': 4 },
  ],
  ['the index of the tasks', writeHeartbeat(TASK, NOW_MS), { ':tasks': 'TASKS', ':one': 1 }],
  ['the request', writeOperatorRequest(OWNED, 'stop'), { ':request': 'stop', ':owner': 'other' }],
  ['the hand-over', writeAskBack(OWNED), { ':request': 'handover', ':proofs': 2 }],
  ['when it is', writeHeartbeat(TASK, NOW_MS), { ':now': NOW_MS }],
  [
    'when a task whose lease has lapsed last served',
    writeHeartbeat({ ...TASK, servedAtMs: NOW_MS - 9_000 }, NOW_MS),
    { ':served': NOW_MS - 9_000, ':now': NOW_MS },
  ],
  [
    'when the process of a task began',
    writeHeartbeat({ ...TASK, startedAtMs: NOW_MS - 60_000 }, NOW_MS),
    { ':started': NOW_MS - 60_000 },
  ],
  ['the counter seen', deleteTask({ taskId: 'me', heartbeat: 7 }), { ':seen': 7 }],
])('writes %s', (_title, write, values) => {
  expect(write.ExpressionAttributeValues).toMatchObject(values);
});

test('deletes a task only as it was seen', () => {
  expect(deleteTask({ taskId: 'me', heartbeat: 7 })).toEqual({
    Key: { pk: 'TASK#me' },
    ConditionExpression: 'heartbeat = :seen',
    ExpressionAttributeValues: { ':seen': 7 },
  });
});
