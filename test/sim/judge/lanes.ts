import { EpochFence } from '../../../sdk/consumer/records/epoch-fence.ts';
import { SequenceRanges } from '../../../sdk/consumer/records/sequence-ranges.ts';
import { START_NOTICES } from '../../../shared/record/event-data.ts';
import type { HistoryEvent, Problem, RecordEvent, WrittenUnit } from '../history.ts';
import { claimsOf, type EpochClaim, taskOf } from './claims.ts';
import { frameSource } from './frame-source.ts';

/**
 * One writer for each epoch, and none of an older epoch behind it, by what Kinesis holds and not by what the writers say:
 *
 * 1. A unit of an epoch comes from the process that claimed the epoch; one that was read back from a disk, from a later
 *    life of that task. The events of a missed stream are fixed in its row, and whoever finds them writes them.
 * 2. Nothing of an epoch leaves a process after the row has a higher one, unless readers refuse it.
 * 3. Of each source the numbers come in order, and each that is missing is named in a gap, or was in the memory of a
 *    process that died before its disk was read back. A gap is told by another lane than the frames, and so perhaps before older ones:
 *    in an epoch without a last event these were lost with their owner, and the judges of frames and verdicts ask for their names.
 */
export function judgeLanes(history: readonly HistoryEvent[]): Problem[] {
  const claims = claimsOf(history);
  // Who reads one stream knows nothing of the other: a line of a newer epoch has the key of audio, and fences none.
  const fences = { media: new EpochFence(), events: new EpochFence() };
  const numbers = new SourceNumbers();
  const problems: Problem[] = [];
  for (const record of history) {
    if (record.kind !== 'record') continue;
    const fence = fences[record.stream];
    for (const unit of record.units) {
      const source = sourceOf(unit);
      const decision = fence.check(record.partitionKey, unit, source);
      const claim = claims.get(unit.rtmsStreamId)?.find(({ epoch }) => epoch === unit.epoch);
      const words = TOLD_BY_ANYBODY.has(unit.type) ? undefined : wrongWriter(record, unit, claim);
      if (words !== undefined) problems.push(problem(record.step, words));
      if (decision !== 'admitted') continue;
      fence.delivered(record.partitionKey, unit, source);
      const late = tooLate(record, unit, claims.get(unit.rtmsStreamId) ?? []);
      if (late !== undefined) problems.push(problem(record.step, late));
      const before = numbers.add(unit, source);
      if (before !== undefined) {
        const order = `${nameOf(unit)} comes after number ${before}`;
        problems.push(problem(record.step, order));
      }
    }
  }
  const end = history.at(-1)?.step ?? 0;
  return [...problems, ...numbers.unexplained().map((words) => problem(end, words))];
}

/** Their identity stands in the row before they are written, so that a second writer writes the same bytes. */
const TOLD_BY_ANYBODY: ReadonlySet<string> = new Set([
  'session_missed',
  ...Object.values(START_NOTICES),
]);
const LAST_EVENTS: ReadonlySet<string> = new Set(['session_handed_over', 'session_ended']);
const FRAMES: ReadonlySet<string> = new Set(['audio', 'video', 'deskshare']);

/** All lines of a stream share one numbering; frames are numbered for each source. */
const sourceOf = (unit: WrittenUnit) => (FRAMES.has(unit.type) ? frameSource(unit) : 'lines');

const nameOf = (unit: WrittenUnit) =>
  `${unit.rtmsStreamId} epoch ${unit.epoch} ${sourceOf(unit).trimEnd()} number ${unit.sequence}`;

const problem = (step: number, words: string): Problem => ({ judge: 'lane', step, words });

function wrongWriter(
  { process }: RecordEvent,
  unit: WrittenUnit,
  claim: EpochClaim | undefined,
): string | undefined {
  if (claim === undefined) return `${nameOf(unit)} is of an epoch that nobody has claimed`;
  const isOwn =
    unit.recovered === true ? taskOf(claim.process) === taskOf(process) : claim.process === process;
  return isOwn
    ? undefined
    : `${nameOf(unit)} is from ${process}, and ${claim.process} has claimed it`;
}

function tooLate(
  { process, sentAtStep }: RecordEvent,
  unit: WrittenUnit,
  claims: readonly EpochClaim[],
): string | undefined {
  // What a disk gives back is of an owner that died; readers take it for as long as nothing newer stands before it.
  if (unit.recovered === true || TOLD_BY_ANYBODY.has(unit.type)) return undefined;
  // It is the one line of an epoch in which nobody received anything, and waits for Kinesis while others claim the next one.
  if (unit.type === 'session_restart') return undefined;
  const next = claims.find(({ epoch }) => epoch > unit.epoch);
  if (next === undefined || sentAtStep <= next.step) return undefined;
  return `${nameOf(unit)} left ${process} after ${next.process} had claimed epoch ${next.epoch}, and readers take it`;
}

/** The numbers of each source in each epoch, and which of them gap events and deaths explain. */
class SourceNumbers {
  readonly #sources = new Map<string, Numbers>();
  /** Epochs with a last event, which has the account of all that its owner received. */
  readonly #accounted = new Set<string>();
  /** Those of the stream and epoch that was asked for last, which spares a text for each unit. */
  #last:
    | { rtmsStreamId: string; epoch: number; readonly sources: Map<string, Numbers> }
    | undefined;

  /** @returns the number that stands before a smaller one, where the order is wrong */
  add(unit: WrittenUnit, source: string): number | undefined {
    const numbers = this.#of(unit, source);
    const { last } = numbers.seen;
    // The chunks of one frame have one number.
    const isWrong = unit.sequence < last;
    numbers.seen.add(unit.sequence);
    if (unit.recovered === true) numbers.recovered.add(unit.sequence);
    if (unit.type === 'gap') this.#gap(unit);
    if (LAST_EVENTS.has(unit.type)) this.#accounted.add(`${unit.rtmsStreamId} epoch ${unit.epoch}`);
    return isWrong ? last : undefined;
  }

  /** One sentence for each source with numbers that nothing explains. */
  unexplained(): string[] {
    return [...this.#sources].flatMap(([name, { seen, gaps, recovered }]) => {
      const [epoch = ''] = /^\S+ epoch \d+/.exec(name) ?? [];
      const lastKnown = this.#accounted.has(epoch) ? Number.POSITIVE_INFINITY : seen.last;
      const covered = new SequenceRanges(Number.POSITIVE_INFINITY);
      for (const range of [...seen.ranges, ...gaps.ranges]) covered.addRange(range);
      return covered
        .missing()
        .filter(({ from, to }) => from <= lastKnown && !recovered.has(to + 1))
        .map(({ from, to }) => `${name}: numbers ${from} to ${to} are neither written nor named`);
    });
  }

  #gap(unit: WrittenUnit): void {
    const { mediaType, userId, channelId, count, fromSequence, toSequence } = unit.data ?? {};
    if (count === 0) return;
    const source = FRAMES.has(String(mediaType))
      ? `${String(mediaType)} ${String(channelId ?? userId ?? '')}`
      : 'lines';
    this.#of(unit, source).gaps.addRange({ from: Number(fromSequence), to: Number(toSequence) });
  }

  #of({ rtmsStreamId, epoch }: WrittenUnit, source: string): Numbers {
    const last = this.#last;
    if (last?.rtmsStreamId === rtmsStreamId && last.epoch === epoch) {
      const known = last.sources.get(source);
      if (known !== undefined) return known;
    }
    const numbers = this.#named(rtmsStreamId, epoch, source);
    const isSame = last?.rtmsStreamId === rtmsStreamId && last.epoch === epoch;
    const sources = isSame ? last.sources : new Map<string, Numbers>();
    this.#last = { rtmsStreamId, epoch, sources: sources.set(source, numbers) };
    return numbers;
  }

  #named(rtmsStreamId: string, epoch: number, source: string): Numbers {
    const key = `${rtmsStreamId} epoch ${epoch} ${source}`.trimEnd();
    let numbers = this.#sources.get(key);
    if (numbers === undefined) {
      numbers = { seen: ranges(), gaps: ranges(), recovered: ranges() };
      this.#sources.set(key, numbers);
    }
    return numbers;
  }
}

interface Numbers {
  readonly seen: SequenceRanges;
  readonly gaps: SequenceRanges;
  /** Of a disk: what is missing right before one of them was in the memory of the process that died. */
  readonly recovered: SequenceRanges;
}

const ranges = () => new SequenceRanges(Number.POSITIVE_INFINITY);
