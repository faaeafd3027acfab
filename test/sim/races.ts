import { encodeSessionJob } from '../../shared/session-job.ts';
import type { SimulatedRunner } from './fleet/runners.ts';
import type { HistoryEvent, RowEvent } from './history.ts';
import type { TargetParts } from './targets.ts';

type Random = () => number;

/** A fault waits so long for its moment. */
const LONGEST_WAIT_MS = 600_000;
/** A task is called dead 10 s after its last heartbeat, of which up to 3 s have passed when it freezes. */
const RACE_MS = 30_000;
const LATE_FROM_MS = 6_500;
/** A task drops its sessions 40 s after the last renewal that it heard of. */
const DROPPED_MS = 40_500;
/** How long a slow way to the table lasts after a thaw. */
const SLOW_MS = 10_000;
/**
 * A PutRecords call may take 5 s. To leave behind the next claim, which comes 10 s after the last heartbeat at the earliest, it has
 * to begin in these last moments of the lease, which lasts for 7 s.
 */
const LAST_MOMENTS_MS = 6_000;
/** The calls that have begun in the lease are over by then. */
const CALLS_OVER_MS = 12_500;
/** A disk that is in trouble fails for a moment this often. */
const DISK_TROUBLE_MS = 7_000;
/** It heals that much after Kinesis has come back, at the latest. */
const LATE_HEAL_MS = 60_000;

/**
 * Faults that wait for the moment at which they hurt most: between a look at the fence and the send, between a claim and
 * its answer, between the proof that an owner is dead and the claim. At random moments they would meet once in weeks.
 */
export class Races {
  readonly #parts: TargetParts;

  constructor(parts: TargetParts) {
    this.#parts = parts;
  }

  /** A runner alone has no way to the session table; all else goes on. @param lost what gets lost of its calls */
  cutOff(random: Random, lost: 'request' | 'answer', durationMs: number): undefined {
    const runner = this.#runner(random);
    if (runner === undefined) return undefined;
    const { table, name } = runner.machine;
    table.lost = lost;
    this.#after(durationMs, () => {
      table.lost = undefined;
    });
    const what = lost === 'request' ? 'reaches no table' : 'hears nothing of the table';
    const words = `${name} ${what} for ${Math.round(durationMs)} ms`;
    this.#parts.recorder.add({ kind: 'fault', fault: 'cut_off', process: name, words });
    return undefined;
  }

  /**
   * A runner alone hears nothing of the table, while its heartbeats arrive, until it has dropped its sessions. Its rows are still its
   * own when its lease comes back. The table is slow then, so that it is killed before or just after it has claimed them again.
   */
  killAfterLapse(random: Random): undefined {
    const runner = this.#runner(random);
    if (runner === undefined) return undefined;
    const { table, name } = runner.machine;
    const [lapsedMs, killedMs] = [DROPPED_MS + random() * 10_000, 1_000 + random() * 7_000];
    const lateMs = random() * 900;
    table.lost = 'answer';
    this.#after(lapsedMs, () => {
      table.lost = undefined;
      table.lateMs = lateMs;
    });
    this.#after(lapsedMs + killedMs, () => {
      if (runner.machine.state !== 'dead') this.#parts.runners.kill(runner);
    });
    const slow = `its calls then take ${Math.round(lateMs)} ms each way`;
    const words = `${name} hears nothing of the table for ${Math.round(lapsedMs)} ms, ${slow}, and ${Math.round(killedMs)} ms later comes a kill -9`;
    this.#parts.recorder.add({ kind: 'fault', fault: 'kill_after_lapse', process: name, words });
    return undefined;
  }

  /** A runner's calls of the table are late. @param frozenMs it is frozen before, and its calls are late from the thaw on */
  slowTable(random: Random, lateMs: number, frozenMs: number): string | undefined {
    const runner = this.#runner(random);
    if (runner === undefined) return undefined;
    const { table, name } = runner.machine;
    if (frozenMs > 0) this.#parts.runners.freeze(runner, frozenMs);
    table.lateMs = lateMs;
    this.#after(frozenMs + SLOW_MS, () => {
      table.lateMs = 0;
    });
    const late = `its calls of the table take ${Math.round(lateMs)} ms each way`;
    return frozenMs > 0
      ? `${name} freezes for ${Math.round(frozenMs)} ms, and then ${late}`
      : `${name}: ${late}`;
  }

  /**
   * A runner is frozen in the middle of a call.
   *
   * @param moment `signing`: a PutRecords call has passed the fence and has not left; `claim`: a claim has left, and its answer
   *   is on its way
   */
  freezeInCall(random: Random, moment: 'signing' | 'claim', durationMs: number): string {
    const { runners, scheduler } = this.#parts;
    const untilMs = scheduler.nowMs + LONGEST_WAIT_MS;
    const armed = moment === 'signing' ? [this.#runner(random)] : [...runners.live];
    const disarm = () => {
      for (const runner of armed) {
        if (runner === undefined) continue;
        runner.machine.onSigning = undefined;
        runner.machine.onCalled = undefined;
      }
    };
    for (const runner of armed) {
      if (runner === undefined) continue;
      const { machine } = runner;
      const freeze = () => {
        disarm();
        if (scheduler.nowMs > untilMs) return;
        const what = moment === 'signing' ? 'between the fence and a write' : 'after a claim';
        this.#note('freeze_in_call', `${machine.name} freezes ${what}`);
        runners.freeze(runner, durationMs);
      };
      if (moment === 'signing') {
        machine.onSigning = (commandName) => {
          if (commandName !== 'PutRecordsCommand') return undefined;
          freeze();
          return machine.turn();
        };
      } else {
        machine.onCalled = (target, input) => {
          if (isClaim(target, input)) freeze();
        };
      }
    }
    return `a runner will freeze ${moment === 'signing' ? 'between the fence and a write' : 'after a claim'} for ${Math.round(durationMs)} ms`;
  }

  /**
   * A runner is frozen until another one has read its heartbeat to call it dead, and comes back at that instant, while the calls
   * of the others are late. What it proves, queues bring to the others once more.
   *
   * @param reads after so many reads of its row: the second is the one right before the claim
   */
  thawRace(random: Random, reads: number, lateMs: number): string | undefined {
    const { runners, recorder, scheduler, services } = this.#parts;
    const runner = this.#runner(random);
    if (runner === undefined) return undefined;
    const { name } = runner.machine;
    const others = [...runners.live].filter((one) => one !== runner);
    const sinceMs = scheduler.nowMs;
    runners.freeze(runner, RACE_MS);
    this.#after(LATE_FROM_MS, () => {
      for (const { machine } of others) machine.table.lateMs = lateMs;
    });
    let left = reads;
    const listener = (event: HistoryEvent) => {
      if (event.kind !== 'row' || event.phase !== 'applied') return;
      if (
        event.process === name &&
        (event.after?.['proofs'] ?? 0) !== (event.before?.['proofs'] ?? 0)
      ) {
        services.queues.jobs.send(encodeSessionJob(event.row.slice('SESSION#'.length)));
      }
      const isLook = event.op === 'read' && event.row === `TASK#${runner.taskId}`;
      if (!isLook || event.process === name || scheduler.nowMs - sinceMs < LATE_FROM_MS) return;
      left -= 1;
      if (left === 0) this.#after(0, () => runners.thaw(runner));
    };
    recorder.listeners.add(listener);
    this.#after(RACE_MS, () => {
      recorder.listeners.delete(listener);
      for (const { machine } of others) machine.table.lateMs = 0;
    });
    return `${name} freezes until its heartbeat is read for the ${reads}. time; the others' calls of the table take ${Math.round(lateMs)} ms each way`;
  }

  /**
   * The network of a runner loses packets: its calls of the table get lost from a heartbeat on, until another runner has claimed one
   * of its streams. Its connections to Kinesis break in the last moments of its lease, and the TLS handshakes of new ones come to
   * their end only when its own proof has been refused, or when their calls are over.
   */
  lateHandshake(random: Random, lateMs: number): string | undefined {
    const { recorder } = this.#parts;
    const runner = this.#runner(random);
    if (runner === undefined) return undefined;
    const { machine, taskId } = runner;
    const { name, table, kinesis } = machine;
    let awaits: 'heartbeat' | 'claim' | 'proof' = 'heartbeat';
    const reach = () => {
      table.lost = undefined;
      recorder.listeners.delete(listener);
      this.#after(lateMs, () => kinesis.endHandshakes());
    };
    const listener = (event: HistoryEvent) => {
      if (event.kind !== 'row') return;
      const isOwn = event.process === name;
      if (awaits === 'heartbeat' && isOwn && isHeartbeat(event, taskId)) {
        awaits = 'claim';
        table.lost = 'request';
        // Judges of frames ask which process lost its way to the table.
        const words = `calls of the table by ${name} get lost`;
        recorder.add({ kind: 'fault', fault: 'late_handshake', process: name, words });
        this.#after(LAST_MOMENTS_MS, () => kinesis.lose());
        this.#after(CALLS_OVER_MS, reach);
      } else if (awaits === 'claim' && isTakenFrom(event, taskId)) {
        awaits = 'proof';
        table.lost = undefined;
      } else if (awaits === 'proof' && isOwn && event.phase === 'answered' && event.met === false) {
        reach();
      }
    };
    this.#after(RACE_MS, () => recorder.listeners.delete(listener));
    recorder.listeners.add(listener);
    return `calls of the table by ${name} get lost from its next heartbeat on until a stream of it is claimed, and new connections to Kinesis wait ${Math.round(lateMs)} ms longer`;
  }

  /** Kinesis takes nothing for so long that disks are used; one of them is slow and fails at times, and its runner may be restarted. */
  spool(random: Random, durationMs: number): string | undefined {
    const { runners, weather, scheduler } = this.#parts;
    const runner = this.#runner(random);
    if (runner === undefined) return undefined;
    const { name, disk } = runner.machine;
    const untilMs = scheduler.nowMs + durationMs;
    weather.kinesisDownUntilMs = Math.max(weather.kinesisDownUntilMs, untilMs);
    // Longer than the outage: a task that starts again meanwhile finds its disk failing, and has to come back to it.
    const healedAtMs = untilMs + random() * LATE_HEAL_MS;
    const trouble = () => {
      const isOver = scheduler.nowMs >= healedAtMs;
      disk.faults.slowMs = isOver ? 0 : random() * 3_000;
      disk.faults.isBroken = !isOver && random() < 0.3;
      if (!isOver) this.#after(random() * DISK_TROUBLE_MS, trouble);
    };
    const isTroubled = random() < 0.6;
    if (isTroubled) trouble();
    const restarts = random() < 0.5;
    if (restarts) {
      this.#after(durationMs * (0.6 + random() * 0.4), () => {
        if (runner.machine.state === 'dead') return;
        runners.kill(runner, 'restarts');
        this.#note('spool', `kill -9 of ${name}, which comes back at once${disk.crash(random)}`);
        this.#after(2_000, () => runners.start(runner));
      });
    }
    const slow = isTroubled ? `, with a slow disk at ${name}` : '';
    const again = restarts ? `, and ${name} is restarted with its disk` : '';
    return `Kinesis takes nothing for ${Math.round(durationMs)} ms${slow}${again}`;
  }

  #after(delayMs: number, run: () => void): void {
    this.#parts.scheduler.after(delayMs, undefined, run);
  }

  #note(fault: string, words: string): void {
    this.#parts.recorder.add({ kind: 'fault', fault, words });
  }

  #runner(random: Random): SimulatedRunner | undefined {
    const ready = [...this.#parts.runners.live].filter(
      ({ isReady, isDraining, machine }) => isReady && !isDraining && machine.state === 'running',
    );
    return ready[Math.floor(random() * ready.length)];
  }
}

/** Does a write take a row from a task and give it to another? */
export function isTakenFrom({ before, after }: RowEvent, taskId: string): boolean {
  return before?.['owner'] === taskId && Number(after?.['epoch']) > Number(before['epoch']);
}

function isHeartbeat({ row, op, phase }: RowEvent, taskId: string): boolean {
  return row === `TASK#${taskId}` && op === 'write' && phase === 'applied';
}

function isClaim(target: string, input: string | object): boolean {
  if (!target.endsWith('.UpdateItem') || typeof input === 'string') return false;
  const { UpdateExpression: update } = input as { UpdateExpression?: string };
  return /\bepoch\b/.test(update ?? '');
}
