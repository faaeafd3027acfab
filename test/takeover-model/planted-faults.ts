import { judgeRow } from '../../runner/ownership/rules.ts';
import { EXPIRE_AFTER_MS } from '../../runner/ownership/tenure.ts';
import { admit } from '../../runner/session/admission.ts';
import { writeClaim, writeProof, writeRelease } from '../../shared/session-table/runner-writes.ts';
import type { RowWrite } from '../../shared/session-table/session-row.ts';
import type { ModelRules } from './rules.ts';
import { TICK_MS } from './state.ts';

const without = ({ ConditionExpression: _, ...write }: RowWrite): RowWrite => write;

/** Rules with one fault each, and what the model has to say of them. */
export const PLANTED_FAULTS: readonly {
  readonly name: string;
  readonly rules: Partial<ModelRules>;
  readonly fault: string;
  /** The model in which it shows. */
  readonly in: 'free' | 'even';
}[] = [
  {
    name: 'a claim without its condition',
    rules: { writeClaim: (...of) => without(writeClaim(...of)) },
    fault: 'an epoch twice',
    in: 'even',
  },
  {
    name: 'a claim that leaves the epoch as it is',
    rules: {
      writeClaim: (seen, ...of) => {
        const write = writeClaim(seen, ...of);
        const values = { ...write.ExpressionAttributeValues, ':next': seen.epoch ?? 0 };
        return { ...write, ExpressionAttributeValues: values };
      },
    },
    fault: 'an epoch twice',
    in: 'even',
  },
  {
    name: 'a claim of a row that was proved since it was read',
    rules: {
      writeClaim: (...of) => {
        const write = writeClaim(...of);
        const condition = write.ConditionExpression ?? '';
        const ConditionExpression = condition.replace(/ AND [^ ]*\(?proofs\b.*$/, '');
        return { ...write, ConditionExpression };
      },
    },
    fault: 'two writers',
    in: 'free',
  },
  {
    name: 'a proof without its condition',
    rules: { writeProof: (...of) => without(writeProof(...of)) },
    fault: 'two writers',
    in: 'even',
  },
  {
    name: 'a session that goes on after a lapse without a proof',
    rules: { provesRows: false },
    fault: 'two writers',
    in: 'even',
  },
  {
    name: 'a claim that is served in the term after its own',
    rules: { mayServe: (lease) => lease.renewedAtMs !== undefined },
    fault: 'two writers',
    in: 'even',
  },
  {
    name: 'a death that is believed for ever',
    rules: { confirmsDeath: false },
    fault: 'two writers',
    in: 'free',
  },
  {
    name: 'a death that is believed one tick too early',
    rules: {
      isExpired: (sighting, askedAtMs) =>
        sighting !== undefined && askedAtMs - sighting.sinceMs >= EXPIRE_AFTER_MS - 2 * TICK_MS,
    },
    fault: 'two writers',
    in: 'even',
  },
  {
    name: 'a lease that never lapses',
    rules: { leaseAt: (lease) => lease },
    fault: 'two writers',
    in: 'even',
  },
  {
    name: 'a release without its condition',
    rules: { writeRelease: (...of) => without(writeRelease(...of)) },
    fault: 'two writers',
    in: 'free',
  },
  {
    name: 'a task that takes more sessions than it has slots',
    rules: { admit: (load, ...of) => admit({ ...load, slotsUsed: 0 }, ...of) },
    fault: 'more sessions than slots',
    in: 'even',
  },
  {
    name: 'a task that takes what it hands over while it drains',
    rules: { admit: (load, ...of) => admit({ ...load, draining: false }, ...of) },
    fault: 'a drain never ends',
    in: 'even',
  },
  {
    name: 'a dead owner whom nobody calls dead',
    rules: { isExpired: () => false },
    fault: 'a stream waits for ever',
    in: 'even',
  },
  {
    name: 'an owner that does not take up what it owns without a session',
    rules: {
      judgeRow: (row, here, isExpired) =>
        row.owner === here.taskId
          ? { act: 'none', why: 'served_here' }
          : judgeRow(row, here, isExpired),
    },
    fault: 'a stream waits for ever',
    in: 'even',
  },
  {
    name: 'an owner without room that keeps what it does not serve',
    rules: { offersAgain: false },
    fault: 'a stream waits for ever',
    in: 'even',
  },
  {
    name: 'a hand-over that offers the row to nobody',
    rules: {
      writeRelease: (...of) => {
        const write = writeRelease(...of);
        const values = { ...write.ExpressionAttributeValues, ':unowned': 'task-7' };
        return { ...write, ExpressionAttributeValues: values };
      },
    },
    fault: 'a stream waits for ever',
    in: 'free',
  },
];
