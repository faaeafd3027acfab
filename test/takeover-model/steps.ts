import { CONNECT_WITHIN_MS, WATCH_FOR_MS } from '../../runner/ownership/move-rules.ts';
import { EXPIRE_AFTER_MS, FENCE_AFTER_MS } from '../../runner/ownership/tenure.ts';
import { type Lease, NO_LEASE } from '../../shared/lease/lease.ts';
import type { Sighting } from '../../shared/lease/sightings.ts';
import type { SessionRow } from '../../shared/session-table/session-row.ts';
import type { ModelRules } from './rules.ts';
import { type Budget, type Core, Layout, OLD, type Part, TICK_MS } from './state.ts';
import { claimOf, ModelTable, type RowNow, type RowWritten, taskName } from './table.ts';

/** What kind of step: `step` is taken by every healthy task before time goes on; `may` at any time, or never. */
export type StepKind = 'step' | 'may' | 'fault' | 'tick';

/** @param to the state after the step */
export type Emit = (kind: StepKind, what: string, to: Uint8Array) => void;

export interface ModelOptions {
  readonly tasks: number;
  readonly streams: number;
  readonly budget: Budget;
  /** Slots of each task; a session weighs one. */
  readonly slots: number;
  /**
   * `even`: every task that is not silent renews its heartbeat and looks at the others at every tick. `free`: it does so at
   * any time or never, and answers come at any time or never, whatever the budget.
   */
  readonly pace: 'even' | 'free';
  /** Tasks of the newest revision; they start at any time. The others run from the beginning. */
  readonly newTasks: number;
}

/** Everything that may happen next, by the rules that runners follow. */
export class ModelSteps {
  readonly layout: Layout;
  readonly options: ModelOptions;
  readonly #rules: ModelRules;
  readonly #table: ModelTable;
  readonly #looked: readonly number[];

  constructor(options: ModelOptions, rules: ModelRules) {
    this.options = options;
    this.layout = new Layout(options.tasks, options.streams);
    this.#rules = rules;
    this.#table = new ModelTable(rules, this.layout.unowned);
    this.#looked = Array.from({ length: 2 * (OLD + 1) + 1 }, (_, seen) => this.#look(seen));
  }

  start(): Uint8Array {
    const { layout, options } = this;
    const state = new Uint8Array(layout.size);
    for (let stream = 0; stream < options.streams; stream++)
      layout.setRow(state, stream, layout.unowned, 0);
    for (let task = 0; task < options.tasks; task++) {
      const isNew = task >= options.tasks - options.newTasks;
      const core = { isSilent: false, isNew, renewalAge: undefined };
      if (isNew) layout.setCore(state, task, { ...core, mode: 'off', leaseAge: undefined });
      else {
        const leaseAge = options.pace === 'even' ? 0 : undefined;
        layout.setCore(state, task, { ...core, mode: 'up', leaseAge });
      }
      for (let stream = 0; stream < options.streams; stream++)
        layout.setPart(state, task, stream, { at: 'idle' });
    }
    for (const what of ['silences', 'losses', 'crashes', 'drains'] as const)
      layout.setLeft(state, what, options.budget[what]);
    return options.pace === 'even' ? this.#tick(state) : state;
  }

  from(state: Uint8Array, emit: Emit): void {
    const { layout, options } = this;
    for (let task = 0; task < options.tasks; task++) {
      const core = layout.core(state, task);
      if (core.mode === 'gone') continue;
      this.#world(state, task, core, emit);
      if (core.isSilent || core.mode === 'off') continue;
      if (options.pace === 'free') this.#heartbeat(state, task, core, emit);
      for (let stream = 0; stream < options.streams; stream++)
        this.#stream(state, task, core, stream, emit);
    }
    emit('tick', 'a tick passes', this.#tick(state));
  }

  /** @returns the tasks that write a stream */
  writers(state: Uint8Array, stream: number): number {
    let writers = 0;
    for (let task = 0; task < this.options.tasks; task++)
      if (this.layout.part(state, task, stream).at === 'serving') writers += 1;
    return writers;
  }

  /** Is a stream not served by its owner, although a healthy task owns it or has room for it? */
  isWaiting(state: Uint8Array, stream: number): boolean {
    const { layout, options } = this;
    let somebody = false;
    for (let task = 0; task < options.tasks; task++) {
      const part = layout.part(state, task, stream);
      if (part.at === 'serving' && part.behind === 0) return false;
      const { mode, isSilent } = layout.core(state, task);
      const isHealthy = mode === 'up' && !isSilent;
      somebody ||= isHealthy && (part.at !== 'idle' || this.slotsUsed(state, task) < options.slots);
    }
    return somebody;
  }

  isDraining(state: Uint8Array, task: number): boolean {
    const { mode, isSilent } = this.layout.core(state, task);
    return mode === 'draining' && !isSilent;
  }

  slotsUsed(state: Uint8Array, task: number): number {
    let used = 0;
    for (let stream = 0; stream < this.options.streams; stream++) {
      const { at } = this.layout.part(state, task, stream);
      if (at !== 'idle' && at !== 'moved') used += 1;
    }
    return used;
  }

  /** What the world does to a task. */
  #world(state: Uint8Array, task: number, core: Core, emit: Emit): void {
    const { layout } = this;
    const name = taskName(task);
    const as = (change: Partial<Core>, spent?: keyof Budget) => {
      const next = state.slice();
      layout.setCore(next, task, { ...core, ...change });
      if (spent !== undefined) layout.setLeft(next, spent, layout.left(state, spent) - 1);
      return next;
    };
    const may = (what: keyof Budget) => layout.left(state, what) > 0;
    if (core.mode === 'off') {
      emit('may', `${name} starts`, as({ mode: 'up', leaseAge: 0 }));
      return;
    }
    if (core.isSilent) emit('may', `${name} comes back`, as({ isSilent: false }));
    else if (may('silences'))
      emit('fault', `${name} falls silent`, as({ isSilent: true }, 'silences'));
    if (may('crashes')) emit('fault', `${name} crashes`, this.#gone(as({}, 'crashes'), task));
    if (core.mode === 'up' && may('drains'))
      emit('may', `${name} begins to drain`, as({ mode: 'draining' }, 'drains'));
    const isEmpty = this.slotsUsed(state, task) === 0;
    if (core.mode === 'draining' && !core.isSilent && isEmpty)
      emit('step', `${name} exits`, this.#gone(state.slice(), task));
  }

  #gone(next: Uint8Array, task: number): Uint8Array {
    const { layout, options } = this;
    const none = { isSilent: false, isNew: false, leaseAge: undefined, renewalAge: undefined };
    layout.setCore(next, task, { mode: 'gone', ...none });
    for (let stream = 0; stream < options.streams; stream++)
      layout.setPart(next, task, stream, { at: 'idle' });
    for (let other = 0; other < options.tasks; other++) layout.setSeen(next, task, other, 0);
    return next;
  }

  #heartbeat(state: Uint8Array, task: number, core: Core, emit: Emit): void {
    const { layout } = this;
    const name = taskName(task);
    const { renewalAge, leaseAge } = core;
    if (renewalAge === undefined && leaseAge !== 0) {
      const next = state.slice();
      layout.setCore(next, task, { ...core, renewalAge: 0 });
      this.#unseen(next, task);
      emit('step', `${name} renews`, next);
    } else if (renewalAge !== undefined) {
      const lost = state.slice();
      layout.setCore(lost, task, { ...core, renewalAge: undefined });
      emit('fault', `${name} never hears of its renewal`, lost);
      const next = state.slice();
      const lease = this.#rules.renewed(leaseOf(core), -renewalAge * TICK_MS, 0, FENCE_AFTER_MS);
      this.#setLease(next, task, { ...core, renewalAge: undefined }, lease);
      emit('step', `${name} hears of its renewal`, next);
    }
    const next = this.#looks(state.slice(), task);
    if (next.some((byte, at) => byte !== state[at])) emit('step', `${name} looks`, next);
  }

  #stream(state: Uint8Array, task: number, core: Core, stream: number, emit: Emit): void {
    const part = this.layout.part(state, task, stream);
    switch (part.at) {
      case 'idle':
        this.#read(state, task, core, stream, false, emit);
        break;
      case 'read':
        this.#act(state, task, core, stream, part, emit);
        break;
      case 'claimed':
        this.#hear(state, task, core, stream, part, emit);
        break;
      case 'serving':
        this.#serve(state, task, core, stream, part, emit);
        break;
      case 'leaving':
        this.#leave(state, task, stream, part, emit);
        break;
      case 'suspended':
        this.#suspended(state, task, core, stream, part, emit);
        break;
      case 'moved':
        this.#moved(state, task, core, stream, part, emit);
        break;
    }
  }

  /** Reads the row, and goes on when the rules and its load allow a claim (`RowClaims.take`). */
  #read(
    state: Uint8Array,
    task: number,
    core: Core,
    stream: number,
    isBack: boolean,
    emit: Emit,
  ): void {
    const { layout, options } = this;
    if (core.leaseAge === undefined) return;
    const load = {
      slotsUsed: this.slotsUsed(state, task),
      slotsTotal: options.slots,
      eventLoopDelayMs: 0,
      memoryShare: 0,
      draining: core.mode === 'draining',
      mayServe: true,
    };
    const owner = layout.owner(state, stream);
    const here = { taskId: taskName(task), hasSession: false, nowMs: 0 };
    const isExpired = (name: string) => this.#isExpired(state, task, name);
    if (this.#rules.judgeRow(this.#row(state, stream), here, isExpired).act !== 'claim') return;
    if (!this.#rules.admit(load, 1, isBack).admitted) {
      if (owner === task && this.#rules.offersAgain) this.#offer(state, task, stream, emit);
      return;
    }
    const isOthers = owner !== layout.unowned && owner !== task;
    const next = state.slice();
    const isChecked = !isOthers || !this.#rules.confirmsDeath;
    const isAlive = isOthers && layout.seen(state, task, owner) > OLD + 1;
    const part: Part = { at: 'read', behind: 0, isProved: false, isAlive, isChecked };
    layout.setPart(next, task, stream, part, owner);
    emit('step', `${taskName(task)} reads stream ${stream}`, next);
  }

  /** Owned and not served: the answer to the claim was lost, and there is no room now. */
  #offer(state: Uint8Array, task: number, stream: number, emit: Emit): void {
    const written = this.#table.offer(this.#rowNow(state, stream), task);
    const what = `${taskName(task)} offers stream ${stream} again`;
    this.#write(state, task, stream, written, { at: 'idle' }, what, emit);
  }

  #act(
    state: Uint8Array,
    task: number,
    core: Core,
    stream: number,
    part: Extract<Part, { at: 'read' }>,
    emit: Emit,
  ): void {
    const { layout } = this;
    const name = taskName(task);
    const owner = layout.readOwner(state, task, stream);
    if (!part.isChecked) {
      const next = state.slice();
      // One that has moved on is another's to serve: the row is left alone, and the heartbeat counts as seen now.
      if (!part.isAlive) layout.setPart(next, task, stream, { ...part, isChecked: true }, owner);
      else {
        layout.setPart(next, task, stream, { at: 'idle' });
        layout.setSeen(next, task, owner, 1);
      }
      emit('step', `${name} checks the owner of stream ${stream}`, next);
      return;
    }
    if (core.leaseAge === undefined) return;
    const row = this.#rowNow(state, stream);
    const written = this.#table.claim(row, { ...part, owner }, task);
    const claimed: Part = { at: 'claimed', behind: 0, isVoid: false };
    this.#write(state, task, stream, written, claimed, `${name} claims stream ${stream}`, emit);
  }

  #hear(
    state: Uint8Array,
    task: number,
    core: Core,
    stream: number,
    { behind, isVoid }: Extract<Part, { at: 'claimed' }>,
    emit: Emit,
  ): void {
    const name = taskName(task);
    this.#loses(state, task, stream, { at: 'idle' }, `${name} never hears of its claim`, emit);
    const mayServe = this.#rules.mayServe(leaseOf(core), isVoid ? NOW - 1 : NOW);
    const next = state.slice();
    this.layout.setPart(next, task, stream, mayServe ? { at: 'serving', behind } : { at: 'idle' });
    emit('step', `${name} hears of its claim of stream ${stream}`, next);
  }

  #serve(
    state: Uint8Array,
    task: number,
    core: Core,
    stream: number,
    { behind }: Extract<Part, { at: 'serving' }>,
    emit: Emit,
  ): void {
    const name = taskName(task);
    const view = { ...VIEW, ...claimOf(task, behind) };
    if (this.#rules.judgeSession(view, this.#row(state, stream)).act === 'drop') {
      const next = state.slice();
      this.layout.setPart(next, task, stream, { at: 'idle' });
      emit('step', `${name} drops stream ${stream}`, next);
    }
    const row = this.#rowNow(state, stream);
    const release = (part: Part, what: string, kind: StepKind) => {
      const written = this.#table.release(row, behind, task);
      this.#write(
        state,
        task,
        stream,
        written,
        part,
        `${name} ${what} stream ${stream}`,
        emit,
        kind,
      );
    };
    if (core.mode === 'draining') release({ at: 'idle' }, 'hands over', 'step');
    else if (this.options.pace === 'free') {
      const next = state.slice();
      this.layout.setPart(next, task, stream, { at: 'leaving', behind });
      emit('may', `${name} leaves stream ${stream}`, next);
    } else if (!core.isNew && this.#mayMove(state, task))
      release({ at: 'moved', behind, age: 0 }, 'moves', 'may');
  }

  /** Late: others may have claimed the row since. */
  #leave(
    state: Uint8Array,
    task: number,
    stream: number,
    { behind }: Extract<Part, { at: 'leaving' }>,
    emit: Emit,
  ): void {
    const written = this.#table.release(this.#rowNow(state, stream), behind, task);
    const what = `${taskName(task)} has handed over stream ${stream}`;
    this.#write(state, task, stream, written, { at: 'idle' }, what, emit);
  }

  #suspended(
    state: Uint8Array,
    task: number,
    core: Core,
    stream: number,
    part: Extract<Part, { at: 'suspended' }>,
    emit: Emit,
  ): void {
    const { layout } = this;
    const name = taskName(task);
    const { behind, proof } = part;
    const as = (kind: StepKind, what: string, to: Part) => {
      const next = state.slice();
      layout.setPart(next, task, stream, to);
      emit(kind, `${name} ${what}`, next);
    };
    as('may', `waits no longer for stream ${stream}`, { at: 'idle' });
    if (proof !== undefined) {
      const again: Part = { at: 'suspended', behind };
      this.#loses(state, task, stream, again, `${name} never hears of its proof`, emit);
      const isValid =
        proof.isOwn && this.#rules.mayServe(leaseOf(core), proof.isVoid ? NOW - 1 : NOW);
      const to: Part = isValid ? { at: 'serving', behind } : proof.isOwn ? again : { at: 'idle' };
      as('step', `hears of its proof of stream ${stream}`, to);
      return;
    }
    if (core.leaseAge === undefined) return;
    if (!this.#rules.provesRows) {
      as('step', 'goes on', { at: 'serving', behind });
      return;
    }
    const written = this.#table.prove(this.#rowNow(state, stream), behind, task);
    const proving = { isOwn: written !== undefined, isVoid: false };
    const to: Part = { at: 'suspended', behind, proof: proving };
    this.#write(state, task, stream, written, to, `${name} proves stream ${stream}`, emit);
  }

  #moved(
    state: Uint8Array,
    task: number,
    core: Core,
    stream: number,
    { behind, age }: Extract<Part, { at: 'moved' }>,
    emit: Emit,
  ): void {
    const { layout } = this;
    const isConnected = this.writers(state, stream) > 0;
    const row = this.#table.row(this.#rowNow(state, stream), undefined, isConnected);
    const isExpired = (name: string) => this.#isExpired(state, task, name);
    // The oldest age stands for all later times.
    const times = age === OLD ? [age * TICK_MS, CONNECT_WITHIN_MS, WATCH_FOR_MS] : [age * TICK_MS];
    for (const elapsedMs of times) {
      const { taskId, epoch } = claimOf(task, behind);
      const verdict = this.#rules.judgeMove(row, { taskId, epoch, elapsedMs, isExpired });
      if (verdict === 'take_back' && core.mode === 'up')
        this.#read(state, task, core, stream, true, emit);
      // This task has left the stream to the others for so long, and is one of them again.
      const isOver = verdict === 'moved' || verdict === 'over' || age === OLD;
      if (!isOver && core.mode === 'up') continue;
      const next = state.slice();
      layout.setPart(next, task, stream, { at: 'idle' });
      emit('step', `${taskName(task)} watches stream ${stream} no longer`, next);
    }
  }

  /** One session at a time, while a task of the newest revision has shown room (`TaskMover`). */
  #mayMove(state: Uint8Array, task: number): boolean {
    const { layout, options } = this;
    for (let stream = 0; stream < options.streams; stream++)
      if (layout.part(state, task, stream).at === 'moved') return false;
    for (let other = 0; other < options.tasks; other++) {
      const { mode, isNew } = layout.core(state, other);
      const isMeant = other !== task && mode === 'up' && isNew;
      const isLive = isMeant && !this.#isExpired(state, task, taskName(other));
      if (isLive && this.slotsUsed(state, other) < options.slots) return true;
    }
    return false;
  }

  /** A write that may also never reach the table. @param written undefined: its condition did not hold */
  #write(
    state: Uint8Array,
    task: number,
    stream: number,
    written: RowWritten | undefined,
    part: Part,
    what: string,
    emit: Emit,
    kind: StepKind = 'step',
  ): void {
    const { layout } = this;
    const next = state.slice();
    if (written !== undefined) {
      layout.setRow(next, stream, written.owner, written.bits);
      for (let other = 0; other < this.options.tasks; other++)
        this.#overtaken(next, other, stream, written);
    }
    const isRefusedClaim = part.at === 'claimed' && written === undefined;
    layout.setPart(next, task, stream, isRefusedClaim ? { at: 'idle' } : part);
    const isTwice = part.at === 'claimed' && written !== undefined && written.raised !== 1;
    emit(kind, isTwice ? `${what}, ${TWICE}` : what, next);
    if (part.at !== 'suspended')
      this.#loses(
        state,
        task,
        stream,
        { at: 'idle' },
        `${what}, which never reaches the table`,
        emit,
      );
  }

  /** The row has been written: what others know of it is older now, and a read with which no claim can succeed is nothing. */
  #overtaken(next: Uint8Array, task: number, stream: number, written: RowWritten): void {
    const { layout } = this;
    const part = layout.part(next, task, stream);
    if (part.at === 'idle') return;
    const behind = Math.min(2, part.behind + Math.max(0, written.raised));
    if (part.at !== 'read') {
      if (behind !== part.behind) layout.setPart(next, task, stream, { ...part, behind });
      return;
    }
    const owner = layout.readOwner(next, task, stream);
    const isProved = part.isProved || written.isProved;
    const isOpen = this.#table.claim(written, { owner, behind, isProved }, task) !== undefined;
    const read: Part = isOpen ? { ...part, behind, isProved } : { at: 'idle' };
    layout.setPart(next, task, stream, read, owner);
  }

  #loses(
    state: Uint8Array,
    task: number,
    stream: number,
    to: Part,
    what: string,
    emit: Emit,
  ): void {
    const { layout } = this;
    const left = layout.left(state, 'losses');
    if (left === 0 && this.options.pace === 'even') return;
    const next = state.slice();
    layout.setPart(next, task, stream, to);
    if (this.options.pace === 'even') layout.setLeft(next, 'losses', left - 1);
    emit('fault', what, next);
  }

  #tick(state: Uint8Array): Uint8Array {
    const { layout, options } = this;
    const next = state.slice();
    for (let task = 0; task < options.tasks; task++) {
      const core = layout.core(next, task);
      for (let other = 0; other < options.tasks; other++)
        layout.setSeen(next, task, other, olderSeen(layout.seen(next, task, other)));
      for (let stream = 0; stream < options.streams; stream++) {
        const part = layout.part(next, task, stream);
        if (part.at === 'moved')
          layout.setPart(next, task, stream, { ...part, age: Math.min(OLD, part.age + 1) });
      }
      if (core.mode !== 'up' && core.mode !== 'draining') continue;
      const leaseAge = core.leaseAge === undefined ? undefined : Math.min(OLD, core.leaseAge + 1);
      const renewalAge = core.renewalAge === undefined ? undefined : core.renewalAge + 1;
      // An answer as late as the fence gives no right.
      const isTooLate = renewalAge !== undefined && renewalAge * TICK_MS >= 2 * TICK_MS;
      const aged = { ...core, leaseAge, renewalAge: isTooLate ? undefined : renewalAge };
      this.#setLease(next, task, aged, this.#rules.leaseAt(leaseOf(aged), 0, FENCE_AFTER_MS));
    }
    if (options.pace === 'free') return next;
    const awake = (task: number) => {
      const { mode, isSilent } = layout.core(next, task);
      return (mode === 'up' || mode === 'draining') && !isSilent;
    };
    for (let task = 0; task < options.tasks; task++) {
      if (!awake(task)) continue;
      const core = layout.core(next, task);
      this.#setLease(next, task, core, this.#rules.renewed(leaseOf(core), 0, 0, FENCE_AFTER_MS));
      this.#unseen(next, task);
    }
    for (let task = 0; task < options.tasks; task++) if (awake(task)) this.#looks(next, task);
    return next;
  }

  /** The lease as it is now. A term that is over takes everything with it that was claimed, read or proved in it. */
  #setLease(next: Uint8Array, task: number, core: Core, lease: Lease): void {
    const { layout, options } = this;
    const leaseAge = lease.renewedAtMs === undefined ? undefined : -lease.renewedAtMs / TICK_MS;
    layout.setCore(next, task, { ...core, leaseAge });
    if (lease.term === NOW) return;
    for (let stream = 0; stream < options.streams; stream++) {
      const part = layout.part(next, task, stream);
      if (part.at === 'read') layout.setPart(next, task, stream, { at: 'idle' });
      if (part.at === 'claimed') layout.setPart(next, task, stream, { ...part, isVoid: true });
      if (part.at === 'serving')
        layout.setPart(next, task, stream, { at: 'suspended', behind: part.behind });
      if (part.at === 'suspended' && part.proof !== undefined)
        layout.setPart(next, task, stream, { ...part, proof: { ...part.proof, isVoid: true } });
    }
  }

  /** The counter of one task has moved on: the others have not seen its value. */
  #unseen(next: Uint8Array, task: number): void {
    for (let other = 0; other < this.options.tasks; other++) {
      const seen = this.layout.seen(next, other, task);
      if (seen > 0 && seen <= OLD + 1) this.layout.setSeen(next, other, task, seen + OLD + 1);
      for (let stream = 0; stream < this.options.streams; stream++) {
        const part = this.layout.part(next, other, stream);
        if (part.at !== 'read' || part.isChecked || part.isAlive) continue;
        if (this.layout.readOwner(next, other, stream) === task)
          this.layout.setPart(next, other, stream, { ...part, isAlive: true }, task);
      }
    }
  }

  #looks(next: Uint8Array, task: number): Uint8Array {
    const { layout, options } = this;
    for (let other = 0; other < options.tasks; other++) {
      if (other === task || layout.core(next, other).mode === 'off') continue;
      const seen = layout.seen(next, task, other);
      layout.setSeen(next, task, other, this.#looked[seen] as number);
    }
    return next;
  }

  /** @returns what is known of a heartbeat after a look at it, given what was known before */
  #look(seen: number): number {
    const before = new Map<string, Sighting>();
    const age = (seen - 1) % (OLD + 1);
    if (seen > 0) before.set('o', { heartbeat: 0, sinceMs: -age * TICK_MS });
    const heartbeat = seen > OLD + 1 ? 1 : 0;
    const look = { askedAtMs: 0, answeredAtMs: 0 };
    const after = this.#rules.observe(before, [{ id: 'o', heartbeat }], look).get('o');
    return 1 + Math.abs((after?.sinceMs ?? 0) / TICK_MS);
  }

  #isExpired(state: Uint8Array, task: number, name: string): boolean {
    const seen = this.layout.seen(state, task, Number(name.slice(taskName(0).length - 1)));
    if (seen === 0) return false;
    const age = (seen - 1) % (OLD + 1);
    return this.#rules.isExpired({ heartbeat: 0, sinceMs: -age * TICK_MS }, 0, EXPIRE_AFTER_MS);
  }

  #rowNow(state: Uint8Array, stream: number): RowNow {
    return { owner: this.layout.owner(state, stream), bits: this.layout.bits(state, stream) };
  }

  #row(state: Uint8Array, stream: number): SessionRow {
    return this.#table.row(this.#rowNow(state, stream));
  }
}

/** The current term of every lease; what is void was of one before. */
const NOW = 1;
/** What the step of a claim says that has not raised the epoch by one. */
export const TWICE = 'under an epoch that is not new';

const VIEW = {
  startEventTsMs: 1,
  serverUrls: ['wss://zoom'],
  handledInterruptTsMs: 0,
  lastHandshakeAtMs: 0,
};

function leaseOf({ leaseAge }: Core): Lease {
  return {
    ...NO_LEASE,
    term: NOW,
    renewedAtMs: leaseAge === undefined ? undefined : -leaseAge * TICK_MS,
  };
}

function olderSeen(seen: number): number {
  if (seen === 0) return 0;
  const moved = seen > OLD + 1 ? OLD + 1 : 0;
  return moved + 1 + Math.min(OLD, seen - moved - 1 + 1);
}
