import type { FaultMode } from '../../local/aws/fault-proxy.ts';
import type { FaultScript } from '../../local/kinesis/faults.ts';
import type { ActionInput } from '../../simulator/scenario/scenario.ts';
import type { Random } from './storm-plan.ts';

/**
 * One blow. `pick` (0 to 1) chooses the runner, the execution of the catcher or the meeting among those there are at that
 * moment.
 */
export type Blow =
  | { readonly kind: 'kill' | 'sigterm'; readonly pick: number }
  | { readonly kind: 'kill catcher'; readonly pick: number }
  | {
      readonly kind: 'freeze' | 'freeze catcher';
      readonly pick: number;
      readonly forMs: number;
    }
  | {
      readonly kind: 'outage';
      readonly service: 'dynamodb' | 'sqs';
      readonly mode: FaultMode;
      readonly forMs: number;
    }
  | { readonly kind: 'kinesis'; readonly name: string; readonly rule: FaultScript['rules'][number] }
  | { readonly kind: 'zoom'; readonly pick: number; readonly action: ActionInput };

export interface TimedBlow {
  readonly atMs: number;
  readonly blow: Blow;
}

export interface PlannedMeeting {
  readonly startAtMs: number;
  readonly durationMs: number;
  readonly stopReason: number;
}

export interface RunnerStormPlan {
  readonly meetings: readonly PlannedMeeting[];
  readonly blows: readonly TimedBlow[];
}

const OUTAGE_MODES: readonly FaultMode[] = ['refuse', 'swallow', 'stall'];
const STOP_REASONS = [6, 6, 6, 1, 13, 24, 8];

/**
 * Meetings that start in the first fifth and end in the last third, and a blow every second or two in
 * between. The same seed gives the same plan.
 *
 * @param hasCatcher also strikes executions of the catcher
 */
export function planRunnerStorm(
  meetings: number,
  stormMs: number,
  random: Random,
  hasCatcher = false,
): RunnerStormPlan {
  const between = (from: number, to: number) => from + (to - from) * random();
  const one = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const planned = Array.from({ length: meetings }, () => {
    const startAtMs = between(0, stormMs / 5);
    return {
      startAtMs,
      durationMs: between((2 * stormMs) / 3, stormMs) - startAtMs,
      stopReason: one(STOP_REASONS),
    };
  });

  const kinesis = (): Blow => {
    const durationMs = between(1_000, 4_000);
    const [name, fault] = one<[string, object]>([
      ['throttled entries', { entryErrors: { ProvisionedThroughputExceededException: 0.5 } }],
      ['failed entries', { entryErrors: { InternalFailure: 0.3 } }],
      ['stalled', { stall: 'hold' }],
      ['refused', { stall: 'refuse' }],
      ['lost answers', { dropAnswerShare: 0.3 }],
    ]);
    return { kind: 'kinesis', name, rule: { operation: 'PutRecords', durationMs, ...fault } };
  };
  const zoom = (): Blow => {
    const action = one<ActionInput>([
      { do: 'cut_signaling' },
      { do: 'cut_signaling', how: 'close' },
      { do: 'cut_media', mediaType: 'audio' },
      { do: 'cut_media', how: 'close' },
      { do: 'failover' },
      { do: 'evict' },
      { do: 'replay_webhook', kind: 'started' },
      { do: 'replay_webhook', kind: 'started' },
    ]);
    return { kind: 'zoom', pick: random(), action };
  };
  const outage = (): Blow => ({
    kind: 'outage',
    service: one(['dynamodb', 'sqs'] as const),
    mode: one(OUTAGE_MODES),
    forMs: between(500, random() < 0.2 ? 9_000 : 4_000),
  });
  const catcherMakers: readonly (() => Blow)[] = [
    () => ({ kind: 'kill catcher', pick: random() }),
    () => ({ kind: 'kill catcher', pick: random() }),
    () => ({ kind: 'freeze catcher', pick: random(), forMs: between(1_000, 14_000) }),
  ];
  const makers: readonly (() => Blow)[] = [
    () => ({ kind: 'kill', pick: random() }),
    () => ({ kind: 'sigterm', pick: random() }),
    () => ({ kind: 'freeze', pick: random(), forMs: between(1_000, 14_000) }),
    outage,
    kinesis,
    zoom,
    zoom,
    zoom,
  ];
  const all = hasCatcher ? [...makers, ...catcherMakers] : makers;
  const blows: TimedBlow[] = [];
  for (let atMs = stormMs / 6; atMs < stormMs * 0.75; atMs += between(500, 2_500)) {
    blows.push({ atMs, blow: one(all)() });
  }
  return { meetings: planned, blows };
}
