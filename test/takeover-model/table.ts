import type { RowWrite, SessionRow } from '../../shared/session-table/session-row.ts';
import { UNOWNED } from '../../shared/session-table/session-row.ts';
import { type Item, meets, updated } from '../sim/judge/expressions.ts';
import type { ModelRules } from './rules.ts';
import { ROW } from './state.ts';

/** The row of one stream as it stands: number of the owner, and bits of `ROW`. */
export interface RowNow {
  readonly owner: number;
  readonly bits: number;
}

/** What a task knows of a row: as in `Part`. */
export interface RowKnown {
  readonly owner: number;
  readonly behind: number;
  readonly isProved: boolean;
}

/** What a write has made of a row. */
export interface RowWritten extends RowNow {
  /** By how much the epoch has grown. */
  readonly raised: number;
  readonly isProved: boolean;
}

/** The epoch of every row that has been claimed; what is behind it counts down from here. */
const EPOCH = 10;
const PK = 'SESSION#s';

export const taskName = (task: number) => `task-${task}`;

/** The session table: applies the shipped writes, as text, with their conditions. A write and its answer are one step. */
export class ModelTable {
  readonly #rules: ModelRules;
  readonly #unowned: number;
  readonly #memo = new Map<number, RowWritten | undefined>();

  constructor(rules: ModelRules, unowned: number) {
    this.#rules = rules;
    this.#unowned = unowned;
  }

  /** @returns undefined: the condition did not hold */
  claim(row: RowNow, known: RowKnown, task: number): RowWritten | undefined {
    const key = this.#key(0, row, task, known.behind, known.owner * 2 + Number(known.isProved));
    return this.#once(key, row, () =>
      this.#rules.writeClaim(this.row(row, known), taskName(task), 0, 0),
    );
  }

  prove(row: RowNow, behind: number, task: number): RowWritten | undefined {
    return this.#once(this.#key(1, row, task, behind, 0), row, () =>
      this.#rules.writeProof(claimOf(task, behind)),
    );
  }

  release(row: RowNow, behind: number, task: number): RowWritten | undefined {
    return this.#once(this.#key(2, row, task, behind, 0), row, () =>
      this.#rules.writeRelease(claimOf(task, behind), 1, {}),
    );
  }

  /** Of a row as the task has just read it. */
  offer(row: RowNow, task: number): RowWritten | undefined {
    return this.#once(this.#key(3, row, task, 0, 0), row, () =>
      this.#rules.writeOffered(this.row(row)),
    );
  }

  /**
   * A row as the rules read it.
   *
   * @param known as somebody has read it; by default as it stands
   * @param isConnected its owner has said that media flows
   */
  row(row: RowNow, known?: RowKnown, isConnected = false): SessionRow {
    const { owner, behind, isProved } = known ?? { owner: row.owner, behind: 0, isProved: false };
    const hasProofs = (row.bits & ROW.PROVED) !== 0 && !isProved && behind === 0;
    const isClaimed = (row.bits & ROW.CLAIMED) !== 0;
    return {
      pk: PK,
      rtmsStreamId: 's',
      owner: owner === this.#unowned ? UNOWNED : taskName(owner),
      ...(isClaimed && { epoch: EPOCH - behind }),
      ...(isClaimed && isConnected && { connectedEpoch: EPOCH }),
      ...(hasProofs && { proofs: 5 }),
      startEventTsMs: 1,
      serverUrls: ['wss://zoom'],
      product: 'meeting',
      entityId: 'e',
      requestedAtMs: 1,
    };
  }

  #once(key: number, row: RowNow, write: () => RowWrite): RowWritten | undefined {
    if (!this.#memo.has(key)) this.#memo.set(key, this.#apply(row, write()));
    return this.#memo.get(key);
  }

  #apply(row: RowNow, write: RowWrite): RowWritten | undefined {
    const before = this.row(row) as unknown as Item;
    const { ConditionExpression, UpdateExpression } = write;
    const { ExpressionAttributeNames: names, ExpressionAttributeValues: values } = write;
    if (!meets(before, ConditionExpression, { names, values })) return undefined;
    const after = updated(before, UpdateExpression, { names, values });
    const owner = String(after['owner']);
    const hasProofs = after['proofs'] !== undefined;
    return {
      owner: owner === UNOWNED ? this.#unowned : Number(owner.slice(taskName(0).length - 1)),
      bits: (after['epoch'] === undefined ? 0 : ROW.CLAIMED) | (hasProofs ? ROW.PROVED : 0),
      raised: Number(after['epoch'] ?? 0) - Number(before['epoch'] ?? 0),
      isProved: after['proofs'] !== before['proofs'],
    };
  }

  #key(kind: number, { owner, bits }: RowNow, task: number, behind: number, more: number): number {
    return ((((more * 4 + kind) * 8 + owner) * 4 + bits) * 8 + task) * 4 + behind;
  }
}

export function claimOf(task: number, behind: number) {
  return { rtmsStreamId: 's', taskId: taskName(task), epoch: EPOCH - behind };
}
